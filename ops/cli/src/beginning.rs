//! An id on the command line may be given by its beginning, if no other id begins so, or as `latest`.

use sluice_core::config::ConfigError;

use crate::visible::{cut, line};

/// Stands for the last one.
pub(crate) const LATEST: &str = "latest";
/// The shortest beginning of an id, in characters.
pub(crate) const SHORTEST: usize = 4;
/// The most ids that are listed for an ambiguous beginning.
const NAMED: u32 = 10;
/// How many ids need be found: one more than are listed, to know that there are more.
pub(crate) const ENOUGH: u32 = NAMED + 1;

/// Whether a text is long enough to be looked for as a beginning.
pub(crate) fn is_long_enough(text: &str) -> bool {
    text.chars().count() >= SHORTEST
}

/// The ids that begin so.
#[derive(Debug, Default)]
pub(crate) struct Candidates(Vec<String>);

impl Candidates {
    /// One more, unless it is there already or there are [`ENOUGH`].
    pub(crate) fn add(&mut self, id: String) {
        if self.0.len() < ENOUGH as usize && !self.0.contains(&id) {
            self.0.push(id);
        }
    }

    /// The id that is meant; none if there are no candidates.
    ///
    /// # Errors
    /// When there are several, none of which is `text` itself: the error names `argument`, what `kind` of things they
    /// are ids of, and the first ten.
    pub(crate) fn only(self, argument: &'static str, kind: &str, text: &str) -> Result<Option<String>, ConfigError> {
        match self.0.as_slice() {
            several @ [_, _, ..] if !several.iter().any(|id| id == text) => {
                Err(ambiguous(argument, kind, text, several))
            }
            [_, _, ..] => Ok(Some(text.to_owned())),
            one => Ok(one.first().cloned()),
        }
    }
}

/// The error for a beginning of several ids.
pub(crate) fn ambiguous(argument: &'static str, kind: &str, text: &str, ids: &[String]) -> ConfigError {
    let listed: String = ids.iter().take(NAMED as usize).map(|id| format!("\n  {}", line(id))).collect();
    let more = if ids.len() > NAMED as usize { "\n  and more" } else { "" };
    let text = cut(text, 60);
    let problem =
        format!("several {kind} have an id that begins with {text}; give more characters of it{listed}{more}");
    ConfigError::new(argument, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(ids: &[&str], text: &str) -> Result<Option<String>, String> {
        let mut candidates = Candidates::default();
        ids.iter().for_each(|id| candidates.add((*id).to_owned()));
        candidates.only("ID", "posts", text).map_err(|error| error.to_string())
    }

    #[test]
    fn one_candidate_is_meant_however_often_it_is_found() {
        assert_eq!(only(&[], "0193"), Ok(None));
        assert_eq!(only(&["0193a", "0193a"], "0193"), Ok(Some("0193a".to_owned())));
    }

    #[test]
    fn of_several_only_the_one_that_was_given_in_full_is_meant() {
        assert_eq!(only(&["order-1", "order-10"], "order-1"), Ok(Some("order-1".to_owned())));
        let told = only(&["order-1", "order-10\u{1b}"], "orde").expect_err("two begin so");
        let expected = "ID: several posts have an id that begins with orde; give more characters of it\n  order-1\n  \
                        order-10\\u{1b}";
        assert_eq!(told, expected);
    }

    #[test]
    fn at_most_ten_are_listed() {
        let ids: Vec<String> = (10..40).map(|number| format!("order-{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let told = only(&ids, "orde").expect_err("thirty begin so");
        assert_eq!((told.lines().count(), told.lines().last()), (12, Some("  and more")), "{told}");
        assert!(!only(&ids[..10], "orde").expect_err("ten begin so").contains("and more"));
    }
}
