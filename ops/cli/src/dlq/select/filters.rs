//! The filters of all `dlq` commands.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use sluice_core::config::ConfigError;
use sluice_core::disposition::Class;
use time::OffsetDateTime;

use crate::numbers::count;
use crate::times::past_moment;

const FILTERS: &str = "Filters";

/// The filters of all `dlq` commands. A dead letter must match every filter that is given; a filter given several times
/// matches any of its values.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct Filters {
    /// Select dead letters with this id, or that hold the post with this id; repeatable
    #[arg(long = "id", value_name = "ID", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ids: Vec<String>,

    /// Select dead letters of this class; repeatable
    #[arg(long, value_name = "CLASS", help_heading = FILTERS, value_parser = classes())]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) class: Vec<Class>,

    /// Select dead letters with this failure code, such as malformed or mysql_1406; repeatable
    #[arg(long, value_name = "CODE", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) code: Vec<String>,

    /// Select dead letters with this fingerprint; repeatable
    ///
    /// Failures have the same fingerprint if they differ only in numbers, ids and quoted values.
    #[arg(long, value_name = "HEX", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fingerprint: Vec<String>,

    /// Select dead letters that last failed at this time or later
    ///
    /// RFC 3339, or how long ago (15m, 2h, 3d). A dead letter without a failure time matches neither --since
    /// nor --until.
    #[arg(long, value_name = "TIME", help_heading = FILTERS, value_parser = past_moment)]
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(crate) since: Option<OffsetDateTime>,

    /// Select dead letters that last failed at this time or earlier
    ///
    /// RFC 3339, or how long ago (15m, 2h, 3d).
    #[arg(long, value_name = "TIME", help_heading = FILTERS, value_parser = past_moment)]
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub(crate) until: Option<OffsetDateTime>,

    /// Select dead letters that contain this text, ignoring case
    ///
    /// Searches the failure's message and every text of the body (title, content, author, …) with JSON escapes decoded;
    /// a body that is not JSON is searched as it is.
    #[arg(long, value_name = "TEXT", help_heading = FILTERS)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contains: Option<String>,

    /// Select at most N dead letters, oldest first
    #[arg(long, value_name = "N", help_heading = FILTERS, value_parser = count)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u32>,
}

fn classes() -> impl TypedValueParser<Value = Class> {
    PossibleValuesParser::new(Class::ALL.map(Class::as_str)).try_map(|name| {
        let class = Class::ALL.into_iter().find(|class| class.as_str() == name);
        class.ok_or_else(|| format!("there is no class {name}"))
    })
}

impl Filters {
    /// Whether there are any, apart from the limit.
    #[must_use]
    pub(crate) fn select(&self) -> bool {
        let Self { ids, class, code, fingerprint, since, until, contains, limit: _ } = self;
        let lists = [ids.is_empty(), class.is_empty(), code.is_empty(), fingerprint.is_empty()];
        lists.contains(&false) || since.is_some() || until.is_some() || contains.is_some()
    }

    /// Refuses filters that no dead letter can pass.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since > until => {
                Err(ConfigError::new("--since", "it is later than --until, so no dead letter can match both"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    pub(in crate::dlq::select) fn filters(line: &[&str]) -> Result<Filters, clap::Error> {
        Line::try_parse_from([&["dlq"], line].concat()).map(|line| line.filters)
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
