//! A dead letter in full as text for people.

use std::fmt::Write as _;

use sluice_core::failure::Failure;
use sluice_mysql::ID_CONFLICT;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use time::OffsetDateTime;

use super::Shown;
use super::whole::Whole;
use crate::hint;
use crate::visible::line;

/// What can be done with a dead letter. A replay is useless where the body is not a post, for this failure, or where
/// another post is stored under its id.
pub(super) fn advice(no_post: Option<&Failure>, dead_letter: &DeadLetterSummary, prefix: &str) -> String {
    let command = |words: &str| hint::command(words, prefix, &dead_letter.id);
    match no_post {
        None if dead_letter.code == ID_CONFLICT => format!(
            "a replay cannot help while another post is stored under its id\n\
             to give this one a new id, then replay it\n  {}\nto remove it; the archive keeps a copy\n  {}\n",
            command("dlq edit --new-id"),
            command("dlq drop")
        ),
        None => format!("to replay it\n  {}\n", command("dlq replay")),
        Some(failure) => format!(
            "a replay cannot help: no worker can read this body ({}: {})\nto correct it, then replay it\n  {}\n\
             to remove it; the archive keeps a copy\n  {}\n",
            line(&failure.code),
            line(&failure.message),
            command("dlq edit"),
            command("dlq drop")
        ),
    }
}

pub(super) fn full(dead_letter: &Shown<'_>, advice: &str, now: OffsetDateTime) -> String {
    let Whole { facts, source, sections, body } = Whole::new(dead_letter, now);
    let mut text = String::new();
    for (name, value) in facts {
        let _ = writeln!(text, "{name:<14}{value}");
    }
    let _ = writeln!(text, "{source}");
    for (heading, lines) in sections {
        let _ = write!(text, "\n{heading}\n{}", indented(&lines.join("\n")));
    }
    let _ = write!(text, "\nbody\n{}\n{advice}", indented(&body));
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use sluice_core::disposition::Class;
    use sluice_core::failure::Kind;
    use time::macros::datetime;

    fn summary() -> DeadLetterSummary {
        DeadLetterSummary {
            id: "42".to_owned(),
            class: Class::Rejected,
            code: "broker_rejected".to_owned(),
            message: "a consumer rejected it\u{1b}[2J".to_owned(),
            fingerprint: "0123456789ab".to_owned(),
            attempts: 2,
            first_failed_at: None,
            last_failed_at: Some(datetime!(2026-11-22 15:58:00 UTC)),
            worker: "RabbitMQ".to_owned(),
            replays: 1,
            title: None,
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        }
    }

    fn text_of(headers: Value, body: &str) -> String {
        text_of_one(&summary(), headers, body)
    }

    fn text_of_one(summary: &DeadLetterSummary, headers: Value, body: &str) -> String {
        let (body, operations) = (body.to_owned(), None);
        let dead_letter = Shown { summary, origin: None, user: None, headers, body, body_is_utf8: true, operations };
        full(&dead_letter, "sluice dlq replay 42", datetime!(2026-11-22 16:00:00 UTC))
    }

    #[test]
    fn the_text_says_when_how_often_and_how_to_replay() {
        let text = text_of(json!({}), r#"{"title":"t","content":"c"}"#);
        for part in
            ["2026-11-22T15:58:00Z (2m ago)", "attempts      2", "first failed  unknown", "sluice dlq replay 42"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(text.contains("  {\n    \"content\": \"c\",\n    \"title\": \"t\"\n  }\n"), "{text}");
    }

    #[test]
    fn what_no_replay_can_fix_is_to_be_edited_or_dropped() {
        let malformed = Failure::new(Kind::Permanent, "malformed", "not JSON");
        let text = advice(Some(&malformed), &summary(), "post");
        assert!(text.contains("sluice dlq edit 42\n") && text.contains("sluice dlq drop 42\n"), "{text}");
        assert!(text.contains("malformed: not JSON") && !text.contains("sluice dlq replay"), "{text}");
        assert_eq!(advice(None, &summary(), "post"), "to replay it\n  sluice dlq replay 42\n");
        let conflict = DeadLetterSummary { code: ID_CONFLICT.to_owned(), ..summary() };
        let text = advice(None, &conflict, "post");
        assert!(text.contains("sluice dlq edit --new-id 42\n") && !text.contains("sluice dlq replay"), "{text}");
    }

    #[test]
    fn no_part_of_a_stranger_s_dead_letter_reaches_the_terminal_raw() {
        let nasty = json!({ "h\u{1b}": "v\u{9b}", "x-death": [{ "queue": "q\u{1b}", "reason": "r" }] });
        for body in ["\u{1b}]0;owned\u{7}", "{\"title\":\"\\u001b[31m \u{9b}\"}"] {
            let text = text_of(nasty.clone(), body);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        }
    }

    #[test]
    fn deaths_and_other_headers_are_shown_apart() {
        let death = json!({ "count": 3, "reason": "expired", "queue": "post_queue", "time": 1_795_363_200 });
        let text = text_of(json!({ "x-death": [death], "tenant": 7, "sluice-failure": "{}" }), "");
        assert!(text.contains(
            "any publisher can set it)\n  expired in queue post_queue, 3 ×, first at \
                               2026-11-22T16:00:00Z\n"
        ));
        assert!(text.contains("headers\n  tenant: 7\n"), "{text}");
        assert!(!text.contains("sluice-failure: "), "it is shown above");
    }

    #[test]
    fn the_sender_is_shown_once_and_as_a_claim() {
        let headers = json!({ "sluice-sender": "forum" });
        let named = DeadLetterSummary { sender: "forum".parse().ok(), ..summary() };
        let text = text_of_one(&named, headers, "");
        assert!(text.contains("sender        forum (from the header sluice-sender, which any"), "{text}");
        assert_eq!(text.matches("forum").count(), 1, "{text}");
        assert!(text_of(json!({ "sluice-sender": "f o" }), "").contains("headers\n  sluice-sender: f o\n"));
    }

    #[test]
    fn what_the_broker_does_not_vouch_for_is_shown_as_a_claim() {
        let text = text_of(json!({ "sluice-user-id": "admin", "sluice-failure": "{}" }), "");
        assert!(text.contains("sluice-user-id: admin (not verified: "), "{text}");
        assert!(text.contains("(from the header sluice-failure, which any publisher can set)"), "{text}");
        assert!(!text.contains("verified by RabbitMQ"), "{text}");
        assert!(text_of(json!({}), "").contains("(no header gives the reason)"));
    }
}
