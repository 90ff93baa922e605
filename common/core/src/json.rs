//! JSON that strangers wrote: what it may begin with, and what may be told of it when it cannot be read.

/// The JSON without the byte order mark that some programs put before it.
#[must_use]
pub fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}

/// What is wrong with some JSON, in the reader's own words, but without any text of it: what a user wrote stands in no
/// log line, no dead letter's message and no metric.
///
/// The reader repeats what it found where it wanted something else, as in `invalid type: string "what a user wrote",
/// expected a map`. Its complaints about the form of JSON repeat nothing.
#[must_use]
pub fn told(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if !error.is_data() {
        return message;
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = message.strip_suffix(&place).unwrap_or(&message);
    // Of a value that was read before, nobody knows where it stood.
    let place = if error.line() == 0 { "" } else { place.as_str() };
    format!("{}{place}", without_texts(what))
}

/// A complaint about what was found instead of what was expected, without what was found.
fn without_texts(what: &str) -> String {
    const NAMES_OUR_FIELD: [&str; 2] = ["missing field `", "duplicate field `"];
    const REPEATS: [&str; 5] = ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];
    if NAMES_OUR_FIELD.iter().any(|start| what.starts_with(start)) {
        return what.to_owned();
    }
    let Some(kind) = REPEATS.iter().find(|kind| what.starts_with(**kind)) else {
        return "a value that cannot be read".to_owned();
    };
    // What was found comes in quotes after its type; what was expected comes last.
    let found = what[kind.len()..].trim_start_matches(':').split(['"', '`', ',']).next().unwrap_or_default().trim();
    let found = if found.is_empty() { String::new() } else { format!(": {found}") };
    match what.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{kind}{found}, expected {expected}"),
        None => format!("{kind}{found}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Known {
        title: String,
        #[serde(default)]
        number: u8,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default, with = "time::serde::rfc3339::option")]
        at: Option<time::OffsetDateTime>,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        One,
    }

    /// What is told of a body that is not a `Known`.
    fn of(body: &str) -> String {
        told(&serde_json::from_str::<Known>(body).expect_err(body))
    }

    #[test]
    fn nothing_that_a_user_wrote_is_told() {
        const SECRET: &str = r#"a private, expected `message`"#;
        let secret = serde_json::json!(SECRET);
        for body in [
            format!("{secret}"),
            format!(r#"{{"title":[{secret}]}}"#),
            format!(r#"{{"title":"t","number":{secret}}}"#),
            format!(r#"{{"title":"t","kind":{secret}}}"#),
            format!(r#"{{"title":"t","at":{secret}}}"#),
            format!(r#"{{"title":"t",{secret}:1}}"#),
            format!(r#"{{"title":"t"}} {secret}"#),
            format!(r#"{{"title":{secret}"#),
            format!(r#"{{"title":{secret},,"#),
        ] {
            let told = of(&body);
            assert!(!told.contains("private") && !told.contains("message"), "{told}");
        }
        let of_a_map = serde_json::from_str::<BTreeMap<String, u8>>(&format!(r#"{{"k":{secret}}}"#)).expect_err("no");
        assert!(!told(&of_a_map).contains("private"));
        let of_a_value = serde_json::from_value::<Known>(secret).expect_err("no object");
        assert_eq!(told(&of_a_value), "invalid type: string, expected struct Known");
    }

    #[test]
    fn what_is_told_says_what_is_wrong_and_where() {
        for (body, expected) in [
            (r#""text""#, "invalid type: string, expected struct Known at line 1 column 6"),
            (r#"{"title":7}"#, "invalid type: integer, expected a string at line 1 column 10"),
            (r#"{"title":"t","number":700}"#, "invalid value: integer, expected u8 at line 1 column 25"),
            (r#"{"title":"t","kind":"Two"}"#, "unknown variant, expected `One` at line 1 column 25"),
            (r#"{}"#, "missing field `title` at line 1 column 2"),
            (r#"{"title":"a","title":"b"}"#, "duplicate field `title` at line 1 column 20"),
            (r#"{"title""#, "EOF while parsing an object at line 1 column 8"),
        ] {
            assert_eq!(of(body), expected, "{body}");
        }
    }

    #[test]
    fn one_mark_before_the_json_is_taken_away() {
        assert_eq!(without_mark(b"\xef\xbb\xbf{}"), b"{}");
        assert_eq!(without_mark(b"{}"), b"{}");
        assert_eq!(without_mark(b"\xef\xbb\xbf\xef\xbb\xbf{}"), b"\xef\xbb\xbf{}");
    }
}
