//! What would be done, shown before it is done: for a dry run, and for the question on a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use common::delivery::{LetterSummary, Letters};
use common::disposition::Class;
use common::exit::Exit;

use super::list::in_columns;
use super::look::{DeadLetters, Interrupted};
use super::outcome::{Ending, NO_SUCH_LETTER, bar, exit, tell_json};
use super::outlook::{Judge, Outlook};
use super::piles::Digest;
use super::plan::Plan;
use super::select::Selection;
use super::wording::Wording;
use crate::output::{self, tell};
use crate::table::{lines, right, table};
use crate::visible::{cut, line};

/// The most letters that the question names one by one.
const NAMED: usize = 10;

/// The letters a selection takes, seen and put back.
pub(super) struct Preview {
    /// They, the oldest first.
    pub(super) letters: Vec<LetterSummary>,
    /// What tells each of them from others, of the same id among them.
    pub(super) digests: Vec<Digest>,
    /// Ids asked for that no letter has.
    pub(super) unknown: Vec<String>,
    /// What would become of each letter, where they are to be replayed.
    outlooks: Vec<Outlook>,
    /// Whether the table could not be asked.
    is_partial: bool,
}

impl Preview {
    /// Looks, and asks what would become of each letter.
    ///
    /// # Errors
    /// When the letters cannot be looked at.
    pub(super) async fn take(
        dead: &DeadLetters,
        mut selection: Selection,
        mut judge: Option<Judge>,
    ) -> anyhow::Result<Self> {
        let mut letters = dead.open().await?;
        let taken = Self::fill(dead, &mut letters, &mut selection, &mut judge).await;
        letters.put_back().await?;
        let taken = taken?;
        let outlooks = match &mut judge {
            Some(judge) => judge.outlooks().await,
            None => Vec::new(),
        };
        let away = judge.and_then(|judge| judge.away);
        let is_partial = away.is_some();
        if let Some(away) = away {
            tell!("what the table would say is not known: {away}");
        }
        let (letters, digests) = taken.into_iter().unzip();
        Ok(Self { letters, digests, unknown: selection.unknown(), outlooks, is_partial })
    }

    async fn fill(
        dead: &DeadLetters,
        letters: &mut Letters,
        selection: &mut Selection,
        judge: &mut Option<Judge>,
    ) -> anyhow::Result<Vec<(LetterSummary, Digest)>> {
        let bar = bar(letters.left().into(), "{bar:30} {pos}/{len} looked at [{elapsed}, about {eta} left]");
        let mut taken = Vec::new();
        while !selection.is_complete()
            && let Some(letter) = letters.next().await?
        {
            if dead.stop.is_cancelled() {
                return Err(Interrupted.into());
            }
            bar.inc(1);
            if selection.takes(&letter.summary, letter.body()) {
                if let Some(judge) = judge {
                    judge.hear(&letter).await;
                }
                let digest = letter.transcript().digest();
                taken.push((letter.summary, digest));
            }
        }
        bar.finish_and_clear();
        Ok(taken)
    }

    /// The exit code of whoever only wanted to see it.
    fn exit(&self) -> Exit {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        match exit(&Ending::Complete, count(self.letters.len()), count(self.unknown.len()), 0) {
            Exit::Done if self.is_partial => Exit::Partial,
            exit => exit,
        }
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
pub(super) fn dry_run(preview: &Preview, wording: Wording, json: bool) -> anyhow::Result<Exit> {
    let Wording { past, would, .. } = wording;
    if json {
        for (place, letter) in preview.letters.iter().enumerate() {
            let outlook = preview.outlooks.get(place).map(|outlook| format!("; {outlook}")).unwrap_or_default();
            tell_json(&letter.id, would, &format!("{}, {}{outlook}", letter.class, letter.code));
        }
        preview.unknown.iter().for_each(|id| tell_json(id, "unknown", NO_SUCH_LETTER));
    } else {
        if !preview.letters.is_empty() {
            output::print(|out| write!(out, "{}", in_columns(&preview.letters)))?;
        }
        preview.unknown.iter().for_each(|id| tell!("{}: {NO_SUCH_LETTER}", line(id)));
    }
    if !preview.outlooks.is_empty() && !json {
        output::say(&Plan::new(&preview.letters, &preview.outlooks).text());
    }
    tell!("{} would be {past}; nothing was done", preview.letters.len());
    Ok(preview.exit())
}

/// Tells the plan of a replay.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn plan(preview: &Preview, json: bool) -> anyhow::Result<Exit> {
    let plan = Plan::new(&preview.letters, &preview.outlooks);
    if json {
        output::print(|out| plan.json(out))?;
    } else if !preview.letters.is_empty() {
        output::print(|out| write!(out, "{}", plan.text()))?;
    }
    preview.unknown.iter().for_each(|id| tell!("{}: {NO_SUCH_LETTER}", line(id)));
    if preview.letters.is_empty() {
        tell!("no dead letter passes the filters");
    }
    tell!("this is a plan; nothing was done");
    Ok(preview.exit())
}

/// Whether there is somebody to ask.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Shows what would be done and asks. No letter is in hand meanwhile.
///
/// # Errors
/// When the terminal is gone, or Ctrl-C was the answer.
pub(super) async fn ask(preview: &Preview, wording: Wording, dead: &DeadLetters) -> anyhow::Result<bool> {
    output::say(&question(preview, wording));
    answer(dead).await.map(|answer| is_yes(&answer))
}

/// What is answered to a question that was printed, until the end of the line.
///
/// # Errors
/// As [`ask`].
pub(super) async fn answer(dead: &DeadLetters) -> anyhow::Result<String> {
    std::io::stderr().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = read => Ok(answer??),
        () = dead.stop.cancelled() => {
            tell!("");
            Err(Interrupted.into())
        }
    }
}

fn question(preview: &Preview, wording: Wording) -> String {
    let letters = &preview.letters;
    let mut text = format!("{}\n{}", kinds(preview), in_columns(&letters[..letters.len().min(NAMED)]));
    if letters.len() > NAMED {
        text.push_str(&format!("… and {} more (--dry-run lists them all)\n", letters.len() - NAMED));
    }
    for id in &preview.unknown {
        text.push_str(&format!("{}: {NO_SUCH_LETTER}\n", line(id)));
    }
    let many = if letters.len() == 1 { "this dead letter" } else { "these dead letters" };
    let (act, aim) = wording.asks;
    text.push_str(&format!("\n{act} {many} ({}) {aim}? [y/N] ", letters.len()));
    text
}

/// What there is to decide about: for a replay the whole plan.
fn kinds(preview: &Preview) -> String {
    if !preview.outlooks.is_empty() {
        return Plan::new(&preview.letters, &preview.outlooks).text();
    }
    let mut counts = table(&["COUNT", "CLASS", "CODE"]);
    right(&mut counts, &[0]);
    for ((class, code), count) in preview.counts() {
        counts.add_row([count.to_string(), class.to_string(), cut(code, 60)]);
    }
    lines(counts)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::super::wording::REPLAY;
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
            author: None,
            post: None,
            submitted_at: None,
        }
    }

    #[test]
    fn the_question_says_how_many_and_which() {
        let letters = (0..12).map(|n| letter(n, if n < 5 { Class::Expired } else { Class::Permanent }, "c")).collect();
        let preview = Preview {
            letters,
            digests: Vec::new(),
            unknown: vec!["nobody".to_owned()],
            outlooks: Vec::new(),
            is_partial: false,
        };
        let text = question(&preview, REPLAY);
        assert!(text.contains("5  expired    c") && text.contains("7  permanent  c"), "{text}");
        assert!(text.contains("id-9") && !text.contains("id-10") && text.contains("… and 2 more"), "{text}");
        assert!(text.contains("nobody: no dead letter has this id"), "{text}");
        assert!(text.ends_with("Replay these dead letters (12) to the workers? [y/N] "), "{text}");
    }

    #[test]
    fn only_a_clear_yes_is_consent() {
        assert!(["y\n", "Y", " yes\r\n", "YES"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yep", "yy", "j"].into_iter().any(is_yes));
    }
}
