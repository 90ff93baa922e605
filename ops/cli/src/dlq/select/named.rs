//! Finds a dead letter by a unique beginning of its id, or by `latest`.

use std::ops::ControlFlow;

use sluice_core::config::ConfigError;
use sluice_core::named::Named;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use crate::beginning::{Candidates, LATEST, is_long_enough};
use crate::browse::DeadLetters;

/// Resolves an id on the command line. A complete id always takes precedence. An id that no dead letter has is returned
/// unchanged, so that the command can report it.
///
/// # Errors
/// When the dead letters cannot be browsed; [`ConfigError`] when several ids begin so.
pub(crate) async fn resolve(dead: &DeadLetters, text: &str) -> anyhow::Result<Named> {
    let named = Named::new(text);
    // A complete UUID is not the beginning of another id, and a text that is too short is not searched for.
    if named.post().is_some() || (text != LATEST && !is_long_enough(text)) {
        return Ok(named);
    }
    let mut search = Search::new(named);
    dead.look(|dead_letter| search.see(&dead_letter.summary)).await?;
    Ok(search.found()?)
}

/// The dead letters that may be meant.
struct Search {
    named: Named,
    exact: bool,
    /// The ids that begin so.
    begin: Candidates,
    /// The one that failed last; of several that do not say when, the last in the queue.
    latest: Option<(Option<OffsetDateTime>, String)>,
}

impl Search {
    fn new(named: Named) -> Self {
        Self { named, exact: false, begin: Candidates::default(), latest: None }
    }

    fn see(&mut self, dead_letter: &DeadLetterSummary) -> ControlFlow<()> {
        if dead_letter.is(&self.named) {
            self.exact = true;
            return ControlFlow::Break(());
        }
        if self.latest.as_ref().is_none_or(|(at, _)| dead_letter.last_failed_at >= *at) {
            self.latest = Some((dead_letter.last_failed_at, dead_letter.id.clone()));
        }
        if self.named.begins(&dead_letter.id, dead_letter.post) {
            self.begin.add(dead_letter.id.clone());
        }
        ControlFlow::Continue(())
    }

    fn found(self) -> Result<Named, ConfigError> {
        let Self { named, exact, begin, latest } = self;
        if exact {
            return Ok(named);
        }
        if named.text() == LATEST {
            return Ok(latest.map_or(named, |(_, id)| Named::new(&id)));
        }
        let found = begin.only("ID", "dead letters", named.text())?;
        Ok(found.map_or(named, |id| Named::new(&id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::disposition::Class;
    use time::Duration;

    fn dead_letter(id: &str, post: Option<&str>, failed: Option<i64>) -> DeadLetterSummary {
        DeadLetterSummary {
            id: id.to_owned(),
            class: Class::Permanent,
            code: String::new(),
            message: String::new(),
            fingerprint: String::new(),
            attempts: 1,
            first_failed_at: None,
            last_failed_at: failed.map(|seconds| OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)),
            worker: String::new(),
            replays: 0,
            title: None,
            author: None,
            sender: None,
            post: post.and_then(|post| post.parse().ok()),
            submitted_at: None,
        }
    }

    fn found(text: &str, dead_letters: &[DeadLetterSummary]) -> Result<String, String> {
        let mut search = Search::new(Named::new(text));
        let _ = dead_letters.iter().try_for_each(|dead_letter| search.see(dead_letter));
        search.found().map(|named| named.text().to_owned()).map_err(|error| error.to_string())
    }

    const ID: &str = "0193a5b2-7c55-7000-8000-00000000e1b4";

    #[test]
    fn a_beginning_that_one_dead_letter_has_means_that_dead_letter() {
        let dead_letters =
            [dead_letter(ID, None, None), dead_letter("order-1", Some("0293a5b2-7c55-7000-8000-000000000001"), None)];
        for (text, meant) in [("0193", ID), ("0193A5B2-7C", ID), ("orde", "order-1"), ("0293a5", "order-1")] {
            assert_eq!(found(text, &dead_letters).as_deref(), Ok(meant), "{text}");
        }
        for nobody in ["Orde", "0193x", "7c55-7000"] {
            assert_eq!(found(nobody, &dead_letters).as_deref(), Ok(nobody));
        }
    }

    #[test]
    fn an_id_that_a_dead_letter_has_always_means_that_dead_letter() {
        let dead_letters = [
            dead_letter("order-10", None, Some(9)),
            dead_letter("order-1", None, None),
            dead_letter("latest", None, None),
        ];
        assert_eq!(found("order-1", &dead_letters).as_deref(), Ok("order-1"));
        assert_eq!(found("latest", &dead_letters).as_deref(), Ok("latest"));
    }

    #[test]
    fn an_ambiguous_beginning_is_answered_with_the_candidates() {
        let dead_letters = ["order-10", "order-11"].map(|id| dead_letter(id, None, None));
        let told = found("order-1", &dead_letters).expect_err("two begin so");
        assert!(told.starts_with("ID: several dead letters") && told.ends_with("\n  order-10\n  order-11"), "{told}");
        let twice = [dead_letter("order-1", None, None), dead_letter("order-1", None, None)];
        assert_eq!(found("orde", &twice).as_deref(), Ok("order-1"), "dead letters of one id are no two candidates");
    }

    #[test]
    fn latest_is_the_dead_letter_that_failed_last() {
        let dead_letters =
            [dead_letter("a", None, Some(5)), dead_letter("b", None, Some(9)), dead_letter("c", None, None)];
        assert_eq!(found("latest", &dead_letters).as_deref(), Ok("b"));
        assert_eq!(found("latest", &[dead_letter("c", None, None), dead_letter("d", None, None)]).as_deref(), Ok("d"));
        assert_eq!(found("latest", &[]).as_deref(), Ok("latest"));
    }
}
