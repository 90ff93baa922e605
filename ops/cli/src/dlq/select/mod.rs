//! Which dead letters: ids, filters, or all of them. Pure.

pub(in crate::dlq) mod ids;
pub(in crate::dlq) mod named;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use serde_json::Value;
use sluice_core::config::ConfigError;
use sluice_core::disposition::Class;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use crate::numbers::count;
use crate::times::past_moment;
use crate::visible::block;
use ids::Ids;

/// Where `--help` lists them.
const FILTERS: &str = "Filters";

/// The filters of all `dlq` commands. A dead letter must match every filter that is given; a filter given several times
/// matches any of its values.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(in crate::dlq) struct Filters {
    /// Select dead letters with this id, or that hold the post with this id; repeatable
    #[arg(long = "id", value_name = "ID", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dlq) ids: Vec<String>,

    /// Select dead letters of this class; repeatable
    #[arg(long, value_name = "CLASS", help_heading = FILTERS, value_parser = classes())]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dlq) class: Vec<Class>,

    /// Select dead letters with this failure code, such as malformed or mysql_1406; repeatable
    #[arg(long, value_name = "CODE", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dlq) code: Vec<String>,

    /// Select dead letters with this fingerprint; repeatable
    ///
    /// Failures have the same fingerprint if they differ only in numbers, ids and quoted values.
    #[arg(long, value_name = "HEX", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dlq) fingerprint: Vec<String>,

    /// Select dead letters that last failed at this time or later
    ///
    /// RFC 3339, or how long ago (15m, 2h, 3d). A dead letter without a failure time matches neither --since
    /// nor --until.
    #[arg(long, value_name = "TIME", help_heading = FILTERS, value_parser = past_moment)]
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(in crate::dlq) since: Option<OffsetDateTime>,

    /// Select dead letters that last failed at this time or earlier
    ///
    /// RFC 3339, or how long ago (15m, 2h, 3d).
    #[arg(long, value_name = "TIME", help_heading = FILTERS, value_parser = past_moment)]
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(in crate::dlq) until: Option<OffsetDateTime>,

    /// Select dead letters that contain this text, ignoring case
    ///
    /// Searches the failure's message and every text of the body (title, content, author, …) with JSON escapes decoded;
    /// a body that is not JSON is searched as it is.
    #[arg(long, value_name = "TEXT", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dlq) contains: Option<String>,

    /// Select at most N dead letters, oldest first
    #[arg(long, value_name = "N", help_heading = FILTERS, value_parser = count)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dlq) limit: Option<u32>,
}

fn classes() -> impl TypedValueParser<Value = Class> {
    PossibleValuesParser::new(Class::ALL.map(Class::as_str)).try_map(|name| {
        let class = Class::ALL.into_iter().find(|class| class.as_str() == name);
        class.ok_or_else(|| format!("there is no class {name}"))
    })
}

impl Filters {
    /// Whether they leave anything out, the limit aside.
    #[must_use]
    pub(in crate::dlq) fn select(&self) -> bool {
        let Self { ids, class, code, fingerprint, since, until, contains, limit: _ } = self;
        let lists = [ids.is_empty(), class.is_empty(), code.is_empty(), fingerprint.is_empty()];
        lists.contains(&false) || since.is_some() || until.is_some() || contains.is_some()
    }

    /// Refuses what no dead letter can pass.
    ///
    /// # Errors
    /// Naming the flags.
    pub(in crate::dlq) fn check(&self) -> Result<(), ConfigError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since > until => {
                Err(ConfigError::new("--since", "it is later than --until, so no dead letter can match both"))
            }
            _ => Ok(()),
        }
    }
}

/// The filters at work: remembers what it has met and counts what it let pass.
#[derive(Debug, Clone)]
pub(in crate::dlq) struct Selection {
    filters: Filters,
    ids: Ids,
    /// Lower case, to look for.
    contains: Option<String>,
    /// How many may still pass.
    room: u32,
}

impl Selection {
    /// A selection that has met nothing yet.
    #[must_use]
    pub(in crate::dlq) fn new(filters: Filters) -> Self {
        let ids = Ids::new(&filters.ids);
        let contains = filters.contains.as_ref().map(|text| text.to_lowercase());
        let room = filters.limit.unwrap_or(u32::MAX);
        Self { filters, ids, contains, room }
    }

    /// Whether this dead letter is one of them. To be asked once for each dead letter, in their order.
    pub(in crate::dlq) fn takes(&mut self, dead_letter: &DeadLetterSummary, body: &[u8]) -> bool {
        if !self.ids.is_empty() && !self.ids.meet(&dead_letter.id, dead_letter.post) {
            return false;
        }
        let taken = self.room > 0 && self.passes(dead_letter, body);
        if taken {
            self.room -= 1;
        }
        taken
    }

    /// Whether this id is one of those asked for, or none were.
    pub(in crate::dlq) fn may_name(&self, id: &str) -> bool {
        self.ids.is_empty() || !self.ids.which(id, None).is_empty()
    }

    /// One that was taken is to be taken again later.
    pub(in crate::dlq) fn untake(&mut self) {
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

    /// Whether no further dead letter can change anything: the limit is reached and every id was met.
    #[must_use]
    pub(in crate::dlq) fn is_complete(&self) -> bool {
        self.room == 0 && self.ids.unmet().next().is_none()
    }

    /// The ids asked for that no dead letter had, in the order they were asked for. Only meaningful once all dead
    /// letters were shown to [`Self::takes`], or it [is complete](Self::is_complete).
    #[must_use]
    pub(in crate::dlq) fn unknown(&self) -> Vec<String> {
        self.ids.unmet().map(str::to_owned).collect()
    }
}

/// Whether people who read a dead letter find this text in it.
fn holds(text: &str, dead_letter: &DeadLetterSummary, body: &[u8]) -> bool {
    let has = |place: &str| place.to_lowercase().contains(text);
    has(&dead_letter.message)
        || match serde_json::from_slice::<Value>(body) {
            Ok(json) => says(&json, &has),
            Err(_) => has(&String::from_utf8_lossy(body)),
        }
}

/// Whether one of the values is it: a text as it is meant, or as `dlq show` writes it. The names of fields are none, or
/// the word `content` would be in every post.
fn says(json: &Value, has: &impl Fn(&str) -> bool) -> bool {
    match json {
        Value::String(text) => has(text) || has(&block(&json.to_string())),
        Value::Array(values) => values.iter().any(|value| says(value, has)),
        Value::Object(fields) => fields.values().any(|value| says(value, has)),
        Value::Null | Value::Bool(_) | Value::Number(_) => has(&json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
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
            post: None,
            submitted_at: None,
        }
    }

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    fn filters(line: &[&str]) -> Result<Filters, clap::Error> {
        Line::try_parse_from([&["dlq"], line].concat()).map(|line| line.filters)
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

    #[test]
    fn a_wrong_value_is_refused_with_its_flag_and_the_forms_taken() {
        for (line, told) in [
            (&["--class", "dead"][..], &["--class", "permanent", "crash_loop", "unknown"][..]),
            (&["--since", "yesterday"], &["--since", "2026-11-22T16:00:00Z", "3d"]),
            (&["--until", "7"], &["--until", "15m"]),
            (&["--limit", "0"], &["--limit"]),
        ] {
            let error = filters(line).expect_err("a wrong value");
            assert_eq!(error.exit_code(), 2);
            let text = error.to_string();
            assert!(told.iter().all(|word| text.contains(word)), "{text}");
        }
        let turned = filters(&["--since", "1h", "--until", "2h"]).expect("each by itself is good");
        assert_eq!(turned.check().map_err(|error| error.setting), Err("--since"));
    }

    #[test]
    fn the_record_of_a_selection_holds_what_was_given_and_no_more() {
        let given = filters(&["--class", "crash_loop", "--limit", "5"]).expect("good flags");
        assert_eq!(serde_json::to_value(given).ok(), Some(serde_json::json!({ "class": ["crash_loop"], "limit": 5 })));
    }
}
