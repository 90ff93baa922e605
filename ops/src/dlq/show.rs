//! `sluice dlq show`: the story of one dead letter.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use clap::Args;
use common::config::BrokerArgs;
use common::dead_letter::{FAILURE_HEADER, Origin};
use common::delivery::{Letter, LetterSummary};
use common::exit::Exit;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::look::DeadLetters;
use crate::spool::Spool;
use crate::times::{shown, span};
use crate::visible::{block, line, shell_word};

/// Which one, and how.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The dead letter's id, as `sluice dlq list` gives it
    id: String,
    #[command(flatten)]
    broker: BrokerArgs,
    /// One JSON object: the keys of `sluice dlq list --json`, then origin, headers, body (as text) and body_is_utf8
    #[arg(long, conflicts_with = "body")]
    json: bool,
    /// The body alone, byte for byte
    #[arg(long)]
    body: bool,
}

/// Shows it. Letters that share the id are shown one after the other.
///
/// # Errors
/// When the letters cannot be looked at.
pub(super) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.broker, "dlq show")?;
    let mut found = Spool::<()>::new()?;
    let again = replay_command(&args.id, args.broker.prefix.as_str());
    let look = |letter: Letter| {
        if letter.summary.id != args.id {
            return ControlFlow::Continue(());
        }
        let written = match (args.body, args.json) {
            // The oldest alone.
            (true, _) => found.count > 0 || found.write(|out| out.write_all(letter.body())),
            (_, true) => found.add(&Shown::new(&letter)),
            _ => {
                let gap = if found.count > 0 { "\n" } else { "" };
                let story = story(&Shown::new(&letter), &again, OffsetDateTime::now_utc());
                found.write(|out| write!(out, "{gap}{story}"))
            }
        };
        if written { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let total = dead.look(look).await?;
    let queue = dead.topology.dead_letter_queue();
    if found.count == 0 {
        let id = line(&args.id);
        eprintln!("no dead letter in {queue} has the id {id} ({total} were looked at); `sluice dlq list` has them");
        return Ok(Exit::Partial);
    }
    if found.count > 1 {
        eprintln!("{} dead letters have this id, the oldest comes first", found.count);
    }
    found.print()?;
    Ok(Exit::Done)
}

/// All that is known of a letter.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: &'a LetterSummary,
    origin: Option<&'a Origin>,
    headers: Value,
    body: String,
    body_is_utf8: bool,
}

impl<'a> Shown<'a> {
    fn new(letter: &'a Letter) -> Self {
        Self {
            summary: &letter.summary,
            origin: letter.origin.as_ref(),
            headers: letter.headers(),
            body: String::from_utf8_lossy(letter.body()).into_owned(),
            body_is_utf8: std::str::from_utf8(letter.body()).is_ok(),
        }
    }
}

fn replay_command(id: &str, prefix: &str) -> String {
    let prefix = if prefix == "post" { String::new() } else { format!(" --prefix {}", shell_word(prefix)) };
    let id = if id.starts_with('-') { format!("--id={}", shell_word(id)) } else { shell_word(id) };
    format!("sluice dlq replay{prefix} {id}")
}

fn story(letter: &Shown<'_>, again: &str, now: OffsetDateTime) -> String {
    let summary = letter.summary;
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<14}{value}");
    };
    row("id", &line(&summary.id));
    row("class", summary.class.as_str());
    row("code", &line(&summary.code));
    row("what happened", &line(&summary.message));
    row("fingerprint", &line(&summary.fingerprint));
    row("attempts", &summary.attempts.to_string());
    row("first failed", &when(summary.first_failed_at, now));
    row("last failed", &when(summary.last_failed_at, now));
    row("set aside by", &line(&summary.worker));
    row("came from", &came_from(letter.origin));
    row("replays", &summary.replays.to_string());
    text.push_str(&broker_says(&letter.headers));
    text.push_str(&other_headers(&letter.headers));
    let _ = writeln!(text, "\nbody");
    text.push_str(&indented(&body(letter)));
    let _ = writeln!(text, "\nto replay it\n  {again}");
    text
}

fn when(at: Option<OffsetDateTime>, now: OffsetDateTime) -> String {
    match at {
        Some(at) => format!("{} ({} ago)", shown(Some(at)), span(now - at)),
        None => "unknown".to_owned(),
    }
}

fn came_from(origin: Option<&Origin>) -> String {
    match origin {
        Some(Origin { exchange, routing_key, queue }) => {
            line(&format!("queue {queue}, published to exchange {exchange:?} with routing key {routing_key:?}"))
        }
        None => "unknown".to_owned(),
    }
}

/// The broker's own account: each queue that dead-lettered the message, the latest first.
fn broker_says(headers: &Value) -> String {
    let deaths = headers.get("x-death").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut text = String::new();
    for death in deaths {
        let entry = |name: &str| death.get(name).and_then(Value::as_str).unwrap_or("?");
        let count = death.get("count").and_then(Value::as_u64).unwrap_or(1);
        let at = death.get("time").and_then(Value::as_i64).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        let said = format!("{} in queue {}, {count} ×, first at {}", entry("reason"), entry("queue"), shown(at));
        let _ = writeln!(text, "  {}", line(&said));
    }
    if text.is_empty() { text } else { format!("\nthe broker says\n{text}") }
}

/// The headers that were not told above.
fn other_headers(headers: &Value) -> String {
    let told = |name: &str| name == "x-death" || name == FAILURE_HEADER;
    let mut text = String::new();
    for (name, value) in headers.as_object().into_iter().flatten().filter(|(name, _)| !told(name)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "  {}: {}", line(name), line(&value));
    }
    if text.is_empty() { text } else { format!("\nheaders\n{text}") }
}

fn body(letter: &Shown<'_>) -> String {
    if letter.body.is_empty() {
        return "(empty)".to_owned();
    }
    let json = serde_json::from_str::<Value>(&letter.body).and_then(|json| serde_json::to_string_pretty(&json));
    let text = json.unwrap_or_else(|_| letter.body.clone());
    let note = if letter.body_is_utf8 { "" } else { "\n(not UTF-8; --body gives the bytes)" };
    format!("{}{note}", block(&text))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::disposition::Class;
    use serde_json::json;
    use time::macros::datetime;

    fn summary() -> LetterSummary {
        LetterSummary {
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
        }
    }

    fn told(headers: Value, body: &str) -> String {
        let summary = summary();
        let letter = Shown { summary: &summary, origin: None, headers, body: body.to_owned(), body_is_utf8: true };
        story(&letter, "sluice dlq replay 42", datetime!(2026-11-22 16:00:00 UTC))
    }

    #[test]
    fn the_story_tells_when_how_often_and_how_to_replay() {
        let text = told(json!({}), r#"{"title":"t","content":"c"}"#);
        for part in
            ["2026-11-22T15:58:00Z (2m ago)", "attempts      2", "first failed  unknown", "sluice dlq replay 42"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(text.contains("  {\n    \"content\": \"c\",\n    \"title\": \"t\"\n  }\n"), "{text}");
    }

    #[test]
    fn no_part_of_a_stranger_s_letter_reaches_the_terminal_raw() {
        let nasty = json!({ "h\u{1b}": "v\u{9b}", "x-death": [{ "queue": "q\u{1b}", "reason": "r" }] });
        for body in ["\u{1b}]0;owned\u{7}", "{\"title\":\"\\u001b[31m \u{9b}\"}"] {
            let text = told(nasty.clone(), body);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        }
    }

    #[test]
    fn the_broker_s_account_and_other_headers_are_told_apart() {
        let death = json!({ "count": 3, "reason": "expired", "queue": "post_queue", "time": 1_795_363_200 });
        let text = told(json!({ "x-death": [death], "tenant": 7, "sluice-failure": "{}" }), "");
        assert!(text.contains("the broker says\n  expired in queue post_queue, 3 ×, first at 2026-11-22T16:00:00Z\n"));
        assert!(text.contains("headers\n  tenant: 7\n"), "{text}");
        assert!(!text.contains("sluice-failure"));
    }

    #[test]
    fn the_command_to_replay_can_be_pasted_into_a_shell() {
        assert_eq!(replay_command("0193-a5b2", "post"), "sluice dlq replay 0193-a5b2");
        assert_eq!(replay_command("a b", "blue"), "sluice dlq replay --prefix blue 'a b'");
        assert_eq!(replay_command("-x", "post"), "sluice dlq replay --id=-x");
    }
}
