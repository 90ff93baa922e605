//! `sluice dlq list`: one line for each dead letter, the oldest first.

use std::ops::ControlFlow;

use clap::Args;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_runtime::exit::Exit;

use crate::browse::DeadLetters;
use crate::columns::{self, Column};
use crate::dlq::report::outcome::NO_SUCH_DEAD_LETTER;
use crate::dlq::select::{Filters, Selection};
use crate::rows::Rows;
use crate::spool::Spool;
use crate::times::shown;
use crate::visible::line;
use sluice_runtime::output::report;

/// The columns of [`row`].
const COLUMNS: [Column; 8] = [
    Column::whole("ID"),
    Column::whole("CLASS").goes(3),
    Column::text("CODE", 12),
    Column::number("ATTEMPTS").goes(4),
    Column::number("REPLAYS").goes(5),
    Column::whole("LAST FAILED").goes(1),
    Column::text("TITLE", 16).goes(2),
    Column::text("MESSAGE", 20),
];

/// Arguments of `sluice dlq list`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct ListArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    filters: Filters,
    /// Print one JSON object per line
    ///
    /// Keys: id, class, code, message, fingerprint, attempts, first_failed_at, last_failed_at, worker, replays, title,
    /// author, post (the id of the post that it holds), submitted_at. All values come from the dead letter itself;
    /// nothing verifies them. A message, title or author of more than 8 KiB is cut and ends with ….
    #[arg(long)]
    json: bool,
}

pub(in crate::dlq) async fn run(args: ListArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let dead = DeadLetters::new(&args.broker, "dlq list")?;
    let mut selection = Selection::new(args.filters);
    let (mut objects, mut rows) = (Spool::<()>::new()?, rows()?);
    // Printed only after all are put back, since a pager may stay open for long.
    let total = dead
        .look(|dead_letter| {
            if selection.takes(&dead_letter.summary, dead_letter.body()) {
                let added =
                    if args.json { objects.add(&dead_letter.summary) } else { rows.add(row(&dead_letter.summary)) };
                if !added {
                    return ControlFlow::Break(());
                }
            }
            if selection.is_complete() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
    if args.json {
        objects.print()?;
        return Ok(tell_unknown(&selection.unknown()));
    }
    let found = rows.count();
    rows.print()?;
    let queue = dead.topology.dead_letter_queue();
    report!("{found} of {total} dead letters in {queue}");
    Ok(tell_unknown(&selection.unknown()))
}

/// Names ids that no dead letter has, and gives the exit code.
pub(in crate::dlq) fn tell_unknown(ids: &[String]) -> Exit {
    ids.iter().for_each(|id| report!("{}: {NO_SUCH_DEAD_LETTER}", line(id)));
    if ids.is_empty() { Exit::Done } else { Exit::Partial }
}

/// The table for a terminal of this width; none: uncut.
#[must_use]
pub(in crate::dlq) fn in_columns(dead_letters: &[DeadLetterSummary], room: Option<usize>) -> String {
    columns::table(&COLUMNS, &dead_letters.iter().map(row).collect::<Vec<_>>(), room)
}

/// The same table for any number of them.
pub(in crate::dlq) fn rows() -> anyhow::Result<Rows> {
    Rows::new(&COLUMNS)
}

pub(in crate::dlq) fn row(dead_letter: &DeadLetterSummary) -> Vec<String> {
    vec![
        line(&dead_letter.id),
        dead_letter.class.to_string(),
        line(&dead_letter.code),
        dead_letter.attempts.to_string(),
        dead_letter.replays.to_string(),
        shown(dead_letter.last_failed_at),
        dead_letter.title.as_deref().map_or_else(|| "-".to_owned(), line),
        line(&dead_letter.message),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::disposition::Class;

    #[test]
    fn the_table_has_one_line_a_dead_letter_and_obeys_no_title() {
        let dead_letter = DeadLetterSummary {
            id: "a".to_owned(),
            class: Class::CrashLoop,
            code: "crash_loop".to_owned(),
            message: "killed 3 workers\u{9b}".to_owned(),
            fingerprint: String::new(),
            attempts: 12,
            first_failed_at: None,
            last_failed_at: None,
            worker: String::new(),
            replays: 0,
            author: None,
            sender: None,
            post: None,
            submitted_at: None,
            title: Some("two\nlines \u{1b}[31mred".to_owned()),
        };
        let text = in_columns(&[dead_letter.clone(), DeadLetterSummary { title: None, ..dead_letter }], None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let words: Vec<&str> = lines[0].split_whitespace().collect();
        assert_eq!(words, ["ID", "CLASS", "CODE", "ATTEMPTS", "REPLAYS", "LAST", "FAILED", "TITLE", "MESSAGE"]);
        assert!(lines[1].ends_with(r"unknown      two\nlines \u{1b}[31mred  killed 3 workers\u{9b}"), "{text}");
        assert!(lines[2].contains(" -  "), "{text}");
    }
}
