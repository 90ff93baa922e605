//! `sluice dlq dropped`: what can be brought back. It asks MySQL alone; RabbitMQ may be away.

use clap::Args;
use serde::Serialize;
use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_mysql::Store;
use sluice_rabbit::delivery::DeadLetterSummary;
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use super::piles::{self, Pile, Piles};
use super::select::Filters;
use crate::columns::{self, Column, room};
use crate::times::shown;
use crate::visible::line;
use sluice_runtime::output::{self, tell};

/// The columns of the table.
const COLUMNS: [Column; 8] = [
    Column::whole("ID"),
    Column::whole("CLASS").goes(5),
    Column::text("CODE", 12).goes(2),
    Column::whole("DROPPED").goes(1),
    Column::text("BY", 8).goes(3),
    Column::whole("ACT").goes(6),
    Column::text("REASON", 16),
    Column::text("TITLE", 16).goes(4),
];

/// What to list, and how.
#[derive(Debug, Args)]
pub(super) struct DroppedArgs {
    #[command(flatten)]
    filters: Filters,
    /// Those that this act dropped; repeatable
    #[arg(long = "act", value_name = "ACT")]
    acts: Vec<String>,
    /// One JSON object a line: the keys of `sluice dlq list --json`, then dropped_at, actor, act, reason (as it was
    /// given, or null), and copies (letters that nothing tells apart have one line)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Lists them.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(super) async fn run(args: DroppedArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let store = Store::new(&args.database)?;
    store.check_schema().await?;
    let prefix = args.broker.prefix.as_str();
    let found = piles::find(&store, prefix, &args.filters, &args.acts).await;
    store.close().await;
    let Piles { chosen, missing, total } = found?;
    print(&chosen, args.json)?;
    let copies: usize = chosen.iter().map(Pile::copies).sum();
    tell!("{copies} of {total} dropped letters of prefix {prefix}; `sluice dlq restore` brings them back");
    missing.iter().for_each(|(id, reason)| tell!("{}: {}", line(id), line(reason)));
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Partial })
}

/// Prints piles.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn print(piles: &[Pile], json: bool) -> std::io::Result<()> {
    if json {
        return output::print(|out| piles.iter().try_for_each(|pile| output::json_line(out, &Shown::new(pile))));
    }
    if piles.is_empty() {
        return Ok(());
    }
    output::print(|out| write!(out, "{}", in_columns(piles, room(&std::io::stdout()))))
}

/// One object of `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: &'a DeadLetterSummary,
    #[serde(with = "time::serde::rfc3339")]
    dropped_at: OffsetDateTime,
    actor: &'a str,
    act: &'a str,
    reason: Option<&'a str>,
    copies: usize,
}

impl<'a> Shown<'a> {
    fn new(pile: &'a Pile) -> Self {
        let act = pile.lines.first().map_or("", |line| &line.act);
        let Pile { summary, at: dropped_at, actor, reason, .. } = pile;
        Self { summary, dropped_at: *dropped_at, actor, act, reason: reason.as_deref(), copies: pile.copies() }
    }
}

fn in_columns(piles: &[Pile], room: Option<usize>) -> String {
    let row = |pile: &Pile| {
        let Shown { summary, dropped_at, actor, act, reason, copies } = Shown::new(pile);
        let title = summary.title.as_deref().map_or_else(|| "-".to_owned(), line);
        vec![
            line(&summary.id),
            summary.class.to_string(),
            line(&summary.code),
            shown(Some(dropped_at)),
            line(actor),
            line(act),
            reason.map_or_else(|| "-".to_owned(), line),
            if copies > 1 { format!("{title} ({copies} ×)") } else { title },
        ]
    };
    columns::table(&COLUMNS, &piles.iter().map(row).collect::<Vec<_>>(), room)
}
