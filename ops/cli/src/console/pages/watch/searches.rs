//! Texts that viewers look for in dead letters. Their bodies are too many to be kept, so each look at them looks for what
//! is wanted then, once for all viewers.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The most texts at once: each has a bit of a byte.
const MOST: usize = 8;
/// For how long a text is looked for after somebody asked for it last.
const KEPT: Duration = Duration::from_secs(120);

/// What is wanted, in lower case, and when it was asked for last.
#[derive(Default)]
pub(crate) struct Searches(Mutex<Vec<(String, Instant)>>);

impl Searches {
    /// Asks for this text. Whether it is a new one: then no look has looked for it. Of too many, the one that was asked
    /// for the longest ago is given up.
    pub(crate) fn ask(&self, text: &str) -> bool {
        let (text, now) = (text.to_lowercase(), Instant::now());
        let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.retain(|(_, asked)| now - *asked < KEPT);
        if let Some((_, asked)) = wanted.iter_mut().find(|(known, _)| *known == text) {
            *asked = now;
            return false;
        }
        if wanted.len() == MOST {
            let oldest = wanted.iter().enumerate().min_by_key(|(_, (_, asked))| *asked).map(|(at, _)| at);
            oldest.map(|at| wanted.swap_remove(at));
        }
        wanted.push((text, now));
        true
    }

    /// What is wanted now.
    pub(super) fn wanted(&self) -> Vec<String> {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.iter().filter(|(_, asked)| asked.elapsed() < KEPT).map(|(text, _)| text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_text_is_looked_for_while_somebody_asks_and_no_more_than_eight_are() {
        let searches = Searches::default();
        assert!(searches.ask("Größe") && !searches.ask("größe"), "capitals do not matter");
        for number in 0..MOST {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(searches.ask(&number.to_string()));
        }
        assert_eq!((searches.wanted().len(), searches.wanted().contains(&"größe".to_owned())), (MOST, false));
        tokio::time::advance(KEPT).await;
        assert!(searches.wanted().is_empty() && searches.ask("7"));
        assert_eq!(searches.wanted(), ["7"]);
    }
}
