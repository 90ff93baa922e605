//! What would be done, shown before it is done: for a dry run, and for the question on a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;

use common::delivery::LetterSummary;
use common::disposition::Class;
use common::exit::Exit;
use common::store::ActKind;

use super::list::in_columns;
use super::look::{DeadLetters, Interrupted};
use super::outcome::{Ending, NO_SUCH_LETTER, exit, tell_json};
use super::select::Selection;
use crate::output;
use crate::table::{lines, right, table};
use crate::visible::{cut, line};

/// The most letters that the question names one by one.
const NAMED: usize = 10;

/// The letters a selection takes, seen and put back.
pub(super) struct Preview {
    /// They, the oldest first.
    pub(super) letters: Vec<LetterSummary>,
    /// Ids asked for that no letter has.
    pub(super) unknown: Vec<String>,
}

impl Preview {
    /// Looks.
    ///
    /// # Errors
    /// When the letters cannot be looked at.
    pub(super) async fn take(dead: &DeadLetters, mut selection: Selection) -> anyhow::Result<Self> {
        let mut letters = Vec::new();
        dead.look(|letter| {
            if selection.takes(&letter.summary, letter.body()) {
                letters.push(letter.summary);
            }
            if selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        Ok(Self { letters, unknown: selection.unknown() })
    }

    /// How many of each class and code.
    fn counts(&self) -> BTreeMap<(Class, &str), u32> {
        let mut counts = BTreeMap::new();
        for letter in &self.letters {
            *counts.entry((letter.class, letter.code.as_str())).or_insert(0) += 1;
        }
        counts
    }
}

/// Tells what would be done.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn dry_run(preview: &Preview, kind: ActKind, json: bool) -> anyhow::Result<Exit> {
    let (verb, would) = match kind {
        ActKind::Replay => ("replayed", "would_replay"),
        ActKind::Drop => ("dropped", "would_drop"),
    };
    if json {
        for letter in &preview.letters {
            tell_json(&letter.id, would, &format!("{}, {}", letter.class, letter.code));
        }
        preview.unknown.iter().for_each(|id| tell_json(id, "unknown", NO_SUCH_LETTER));
    } else {
        if !preview.letters.is_empty() {
            output::print(|out| write!(out, "{}", in_columns(&preview.letters)))?;
        }
        preview.unknown.iter().for_each(|id| eprintln!("{}: {NO_SUCH_LETTER}", line(id)));
    }
    eprintln!("{} would be {verb}; nothing was done", preview.letters.len());
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    Ok(exit(&Ending::Complete, count(preview.letters.len()), count(preview.unknown.len())))
}

/// Whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Shows what would be done and asks. No letter is in hand meanwhile.
///
/// # Errors
/// When the terminal is gone, or Ctrl-C was the answer.
pub(super) async fn ask(preview: &Preview, kind: ActKind, dead: &DeadLetters) -> anyhow::Result<bool> {
    eprint!("{}", question(preview, kind, &dead.topology.exchange()));
    std::io::stderr().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = read => Ok(is_yes(&answer??)),
        () = dead.stop.cancelled() => {
            eprintln!();
            Err(Interrupted.into())
        }
    }
}

fn question(preview: &Preview, kind: ActKind, exchange: &str) -> String {
    let letters = &preview.letters;
    let mut counts = table(&["COUNT", "CLASS", "CODE"]);
    right(&mut counts, &[0]);
    for ((class, code), count) in preview.counts() {
        counts.add_row([count.to_string(), class.to_string(), cut(code, 60)]);
    }
    let mut text = format!("{}\n{}", lines(counts), in_columns(&letters[..letters.len().min(NAMED)]));
    if letters.len() > NAMED {
        text.push_str(&format!("… and {} more (--dry-run lists them all)\n", letters.len() - NAMED));
    }
    for id in &preview.unknown {
        text.push_str(&format!("{}: {NO_SUCH_LETTER}\n", line(id)));
    }
    let many = if letters.len() == 1 { "this dead letter" } else { "these dead letters" };
    let act = match kind {
        ActKind::Replay => format!("Replay {many} ({}) to {exchange}", letters.len()),
        ActKind::Drop => format!("Drop {many} ({}) for good", letters.len()),
    };
    text.push_str(&format!("\n{act}? [y/N] "));
    text
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(number: u32, class: Class, code: &str) -> LetterSummary {
        LetterSummary {
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
        }
    }

    #[test]
    fn the_question_says_how_many_and_which() {
        let letters = (0..12).map(|n| letter(n, if n < 5 { Class::Expired } else { Class::Permanent }, "c")).collect();
        let preview = Preview { letters, unknown: vec!["nobody".to_owned()] };
        let text = question(&preview, ActKind::Replay, "post_exchange");
        assert!(text.contains("5  expired    c") && text.contains("7  permanent  c"), "{text}");
        assert!(text.contains("id-9") && !text.contains("id-10") && text.contains("… and 2 more"), "{text}");
        assert!(text.contains("nobody: no dead letter has this id"), "{text}");
        assert!(text.ends_with("Replay these dead letters (12) to post_exchange? [y/N] "), "{text}");
    }

    #[test]
    fn only_a_clear_yes_is_consent() {
        assert!(["y\n", "Y", " yes\r\n", "YES"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yep", "yy", "j"].into_iter().any(is_yes));
    }
}
