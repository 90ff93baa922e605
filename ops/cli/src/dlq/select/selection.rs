//! The filters applied to dead letters, one after the other.

use serde_json::Value;
use sluice_rabbit::dead_letters::DeadLetterSummary;

use super::Filters;
use super::ids::Ids;
use crate::visible::block;

/// The filters, with the ids that were found so far and the count towards the limit.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    filters: Filters,
    ids: Ids,
    /// In lower case.
    contains: Option<String>,
    /// How many may still pass.
    room: u32,
}

impl Selection {
    #[must_use]
    pub(crate) fn new(filters: Filters) -> Self {
        let ids = Ids::new(&filters.ids);
        let contains = filters.contains.as_ref().map(|text| text.to_lowercase());
        let room = filters.limit.unwrap_or(u32::MAX);
        Self { filters, ids, contains, room }
    }

    /// Whether this dead letter is selected. To be called once for each dead letter, in their order.
    pub(crate) fn takes(&mut self, dead_letter: &DeadLetterSummary, body: &[u8]) -> bool {
        if !self.ids.is_empty() && !self.ids.meet(&dead_letter.id, dead_letter.post) {
            return false;
        }
        let taken = self.room > 0 && self.passes(dead_letter, body);
        if taken {
            self.room -= 1;
        }
        taken
    }

    /// Whether this id was asked for, or none was.
    pub(crate) fn may_name(&self, id: &str) -> bool {
        self.ids.is_empty() || !self.ids.which(id, None).is_empty()
    }

    /// Gives one that was taken back to the limit.
    pub(crate) fn untake(&mut self) {
        self.room = self.room.saturating_add(1);
    }

    fn passes(&self, dead_letter: &DeadLetterSummary, body: &[u8]) -> bool {
        let Filters { class, code, fingerprint, since, until, .. } = &self.filters;
        let at = dead_letter.last_failed_at;
        (class.is_empty() || class.contains(&dead_letter.class))
            && (code.is_empty() || code.contains(&dead_letter.code))
            && (fingerprint.is_empty() || fingerprint.contains(&dead_letter.fingerprint))
            && since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && until.is_none_or(|until| at.is_some_and(|at| at <= until))
            && self.contains.as_ref().is_none_or(|text| holds(text, dead_letter, body))
    }

    /// Whether no further dead letter can change anything: the limit is reached and every id was found.
    #[must_use]
    pub(crate) fn is_complete(&self) -> bool {
        self.room == 0 && self.ids.unmet().next().is_none()
    }

    /// The ids asked for that no dead letter had, in the order they were asked for. Only meaningful once all dead
    /// letters went through [`Self::takes`], or it [is complete](Self::is_complete).
    #[must_use]
    pub(crate) fn unknown(&self) -> Vec<String> {
        self.ids.unmet().map(str::to_owned).collect()
    }
}

/// Whether a dead letter contains this text, as people read it. `text` is in lower case.
pub(crate) fn holds(text: &str, dead_letter: &DeadLetterSummary, body: &[u8]) -> bool {
    let has = |place: &str| place.to_lowercase().contains(text);
    has(&dead_letter.message)
        || match serde_json::from_slice::<Value>(body) {
            Ok(json) => value_holds(&json, &has),
            Err(_) => has(&String::from_utf8_lossy(body)),
        }
}

/// Whether one of the values has it: a text as it is, or as `dlq show` prints it. The names of fields do not count:
/// `content` would be in every post.
fn value_holds(json: &Value, has: &impl Fn(&str) -> bool) -> bool {
    match json {
        Value::String(text) => has(text) || has(&block(&json.to_string())),
        Value::Array(values) => values.iter().any(|value| value_holds(value, has)),
        Value::Object(fields) => fields.values().any(|value| value_holds(value, has)),
        Value::Null | Value::Bool(_) | Value::Number(_) => has(&json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::select::filters::tests::filters;
    use sluice_core::disposition::Class;
    use time::macros::datetime;

    fn dead_letter(id: &str, class: Class) -> DeadLetterSummary {
        DeadLetterSummary {
            id: id.to_owned(),
            class,
            code: "mysql_1406".to_owned(),
            message: "Data too long".to_owned(),
            fingerprint: "0123456789ab".to_owned(),
            attempts: 1,
            first_failed_at: None,
            last_failed_at: Some(datetime!(2026-11-22 16:00:00 UTC)),
            worker: "w".to_owned(),
            replays: 0,
            title: Some("Größe".to_owned()),
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        }
    }

    fn takes(line: &[&str], dead_letter: &DeadLetterSummary) -> bool {
        Selection::new(filters(line).expect("good flags")).takes(dead_letter, br#"{"content":"Hello \u00e9"}"#)
    }

    #[test]
    fn without_filters_every_dead_letter_passes_and_nothing_is_selected() {
        assert!(takes(&[], &dead_letter("a", Class::Unknown)));
        assert!(!filters(&[]).expect("good flags").select());
        assert!(!filters(&["--limit", "3"]).expect("good flags").select(), "a limit alone selects nothing");
        assert!(filters(&["--code", "x"]).expect("good flags").select());
    }

    #[test]
    fn a_dead_letter_must_pass_every_filter_and_any_value_of_one() {
        let expired = dead_letter("a", Class::Expired);
        assert!(takes(&["--class", "expired", "--class", "rejected"], &expired));
        assert!(!takes(&["--class", "expired", "--code", "malformed"], &expired));
        assert!(takes(&["--class", "expired", "--code", "mysql_1406", "--fingerprint", "0123456789ab"], &expired));
        assert!(!takes(&["--fingerprint", "0123"], &expired));
    }

    #[test]
    fn times_bound_on_both_sides_and_leave_out_dead_letters_without_one() {
        let mut dead = dead_letter("a", Class::Expired);
        assert!(takes(&["--since", "2026-11-22T16:00:00Z", "--until", "2026-11-22T16:00:00Z"], &dead));
        assert!(!takes(&["--since", "2026-11-22T16:00:01Z"], &dead));
        assert!(!takes(&["--until", "2026-11-22T15:59:59Z"], &dead));
        dead.last_failed_at = None;
        assert!(!takes(&["--until", "1s"], &dead));
    }

    #[test]
    fn text_is_found_in_message_title_and_body_in_capitals_or_not() {
        let dead = dead_letter("a", Class::Expired);
        for text in ["too LONG", "hello", "o é"] {
            assert!(takes(&["--contains", text], &dead), "{text}");
        }
        assert!(!takes(&["--contains", "nowhere"], &dead));
    }

    #[test]
    fn text_is_found_as_people_read_it_and_not_as_json_writes_it() {
        let body = br#"{"title":"\u0048\u0069 \ud83d\ude42","content":"he said \"buy now\"\nand left","n":{"deep":["x\u200by"]}}"#;
        let dead = dead_letter("a", Class::Expired);
        let finds = |text: &str| Selection::new(filters(&["--contains", text]).expect("a text")).takes(&dead, body);
        for text in ["said \"buy", "said \\\"buy", "hi 🙂", "NOW\"\nand", "x\u{200b}y", r"x\u{200b}y"] {
            assert!(finds(text), "{text:?}");
        }
        for text in ["content", "u0048", "\":", "deep"] {
            assert!(!finds(text), "{text:?} is nothing that the post says");
        }
        let raw = |text: &str| {
            Selection::new(filters(&["--contains", text]).expect("a text")).takes(&dead, b"\xff{\"content\": no JSON")
        };
        assert!(raw("\"content\": no") && !raw("yes"));
    }

    #[test]
    fn the_limit_takes_the_first_ones_only() {
        let mut selection = Selection::new(filters(&["--limit", "2"]).expect("good flags"));
        let taken = (0..4).filter(|_| selection.takes(&dead_letter("a", Class::Expired), b"")).count();
        assert_eq!((taken, selection.is_complete()), (2, true));
    }

    #[test]
    fn ids_that_no_dead_letter_has_are_named_once_in_the_order_asked_for() {
        let line = ["--id", "z", "--id", "a", "--id", "y", "--id", "z", "--class", "expired"];
        let mut selection = Selection::new(filters(&line).expect("good flags"));
        assert!(!selection.takes(&dead_letter("a", Class::Unknown), b""), "known, though the class leaves it out");
        assert!(!selection.takes(&dead_letter("b", Class::Expired), b""));
        assert_eq!(selection.unknown(), ["z", "y"]);
    }
}
