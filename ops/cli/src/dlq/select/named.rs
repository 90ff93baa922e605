//! Finds a dead letter by a unique beginning of its id, or by `latest`.

use std::ops::ControlFlow;

use sluice_core::config::ConfigError;
use sluice_core::named::Named;
use sluice_core::post::PostId;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use crate::browse::DeadLetters;
use crate::visible::line;

/// Stands for the dead letter that failed last.
const LATEST: &str = "latest";
/// The shortest beginning of an id, in characters.
const SHORTEST: usize = 4;
/// The most ids that are listed for an ambiguous beginning.
const NAMED: usize = 10;

/// Resolves an id on the command line. A complete id always takes precedence. An id that no dead letter has is returned
/// unchanged, so that the command can report it.
///
/// # Errors
/// When the dead letters cannot be browsed; [`ConfigError`] when several ids begin so.
pub(crate) async fn resolve(dead: &DeadLetters, text: &str) -> anyhow::Result<Named> {
    let named = Named::new(text);
    // A complete UUID is not the beginning of another id, and a text that is too short is not searched for.
    if named.post().is_some() || (text != LATEST && text.chars().count() < SHORTEST) {
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
    /// The ids that begin so, each once, and one more than are named at the most.
    begin: Vec<String>,
    /// The one that failed last; of several that do not say when, the last in the queue.
    latest: Option<(Option<OffsetDateTime>, String)>,
}

impl Search {
    fn new(named: Named) -> Self {
        Self { named, exact: false, begin: Vec::new(), latest: None }
    }

    fn see(&mut self, dead_letter: &DeadLetterSummary) -> ControlFlow<()> {
        if dead_letter.is(&self.named) {
            self.exact = true;
            return ControlFlow::Break(());
        }
        if self.latest.as_ref().is_none_or(|(at, _)| dead_letter.last_failed_at >= *at) {
            self.latest = Some((dead_letter.last_failed_at, dead_letter.id.clone()));
        }
        if self.begin.len() <= NAMED && begins(dead_letter, self.named.text()) && !self.begin.contains(&dead_letter.id)
        {
            self.begin.push(dead_letter.id.clone());
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
        match begin.as_slice() {
            [] => Ok(named),
            [id] => Ok(Named::new(id)),
            several => {
                let ids: String = several.iter().take(NAMED).map(|id| format!("\n  {}", line(id))).collect();
                let more = if several.len() > NAMED { "\n  and more" } else { "" };
                let text = line(named.text());
                let problem = format!(
                    "several dead letters have an id that begins with {text}; give more characters of \
                             it{ids}{more}"
                );
                Err(ConfigError::new("ID", problem))
            }
        }
    }
}

/// Whether the dead letter's id, or that of the post that it holds, begins so: bytes, or a UUID in capitals or not.
fn begins(dead_letter: &DeadLetterSummary, text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let spelled = dead_letter.id.parse::<PostId>().ok();
    dead_letter.id.starts_with(text)
        || spelled.into_iter().chain(dead_letter.post).any(|post| post.to_string().starts_with(&lower))
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
    fn an_ambiguous_beginning_is_answered_with_at_most_ten_candidates() {
        let dead_letters: Vec<_> =
            (10..30).map(|number| dead_letter(&format!("order-{number}\u{1b}"), None, None)).collect();
        let told = found("order-1", &dead_letters).expect_err("ten begin so");
        assert!(told.starts_with("ID: several") && told.ends_with("\n  order-19\\u{1b}"), "{told}");
        let told = found("orde", &dead_letters).expect_err("twenty begin so");
        assert_eq!((told.lines().count(), told.lines().last()), (12, Some("  and more")), "{told}");
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
