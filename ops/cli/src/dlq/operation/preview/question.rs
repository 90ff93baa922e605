//! The confirmation prompt on a terminal.

use super::Preview;
use crate::ask;
use crate::browse::{DeadLetters, Interrupted};
use crate::columns;
use crate::dlq::browse::list::in_columns;
use crate::dlq::report::outcome::NO_SUCH_DEAD_LETTER;
use crate::dlq::report::wording::Wording;
use crate::visible::{cut, line};
use sluice_runtime::output;
use sluice_runtime::table::{lines, right, table};

/// Shows what would be done and asks. No dead letter is in flight meanwhile.
///
/// # Errors
/// When the terminal is gone, or Ctrl-C was the answer.
pub(in crate::dlq) async fn ask(preview: &Preview, wording: Wording, dead: &DeadLetters) -> anyhow::Result<bool> {
    output::say(&question(preview, wording));
    answer(dead).await.map(|answer| ask::is_yes(&answer))
}

/// The line that is typed in answer to a prompt.
pub(in crate::dlq) async fn answer(dead: &DeadLetters) -> anyhow::Result<String> {
    ask::answer(&dead.stop).await?.ok_or_else(|| Interrupted.into())
}

fn question(preview: &Preview, wording: Wording) -> String {
    let Preview { count, first, unknown, .. } = preview;
    let room = columns::room(&std::io::stderr());
    let mut text = format!("{}\n{}", kinds(preview), in_columns(first, room));
    if *count > first.len() {
        text.push_str(&format!("… and {} more (--dry-run lists them all)\n", count - first.len()));
    }
    for id in unknown {
        text.push_str(&format!("{}: {NO_SUCH_DEAD_LETTER}\n", line(id)));
    }
    let many = if *count == 1 { "this dead letter" } else { "these dead letters" };
    let (operation, aim) = wording.asks;
    text.push_str(&format!("\n{operation} {many} ({count}) {aim}? [y/N] "));
    text
}

/// The dead letters by kind; for a replay the whole plan.
fn kinds(preview: &Preview) -> String {
    if let Some(plan) = &preview.plan {
        return plan.text();
    }
    let mut counts = table(&["COUNT", "CLASS", "CODE"]);
    right(&mut counts, &[0]);
    for ((class, code), count) in &preview.counts {
        counts.add_row([count.to_string(), class.to_string(), cut(code, 60)]);
    }
    lines(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlq::report::wording::REPLAY;
    use sluice_core::disposition::Class;
    use sluice_rabbit::dead_letters::DeadLetterSummary;

    fn dead_letter(number: u32, class: Class, code: &str) -> DeadLetterSummary {
        DeadLetterSummary {
            id: format!("id-{number}"),
            class,
            code: code.to_owned(),
            message: String::new(),
            fingerprint: String::new(),
            attempts: 0,
            first_failed_at: None,
            last_failed_at: None,
            worker: String::new(),
            replays: 0,
            title: None,
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
        }
    }

    #[test]
    fn the_question_says_how_many_and_which() {
        let mut preview = Preview { unknown: vec!["nobody".to_owned()], ..Preview::empty().expect("a file") };
        for n in 0..12 {
            preview.add(dead_letter(n, if n < 5 { Class::Expired } else { Class::Permanent }, "c"), None);
        }
        let text = question(&preview, REPLAY);
        assert!(text.contains("5  expired    c") && text.contains("7  permanent  c"), "{text}");
        assert!(text.contains("id-9") && !text.contains("id-10") && text.contains("… and 2 more"), "{text}");
        assert!(text.contains("nobody: no dead letter has this id"), "{text}");
        assert!(text.ends_with("Replay these dead letters (12) to the work queue? [y/N] "), "{text}");
    }
}
