//! `sluice dlq dropped`: what can be brought back. It needs only MySQL; RabbitMQ may be down.

use clap::Args;
use serde::Serialize;
use sluice_core::config::ServerArgs;
use sluice_mysql::Store;
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use super::{DroppedEntries, DroppedEntry};
use crate::columns::{self, Column, room};
use crate::dlq::select::Filters;
use crate::times::shown;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// The columns of the table.
const COLUMNS: [Column; 8] = [
    Column::whole("ID"),
    Column::whole("CLASS").goes(5),
    Column::text("CODE", 12).goes(2),
    Column::whole("DROPPED").goes(1),
    Column::text("BY", 8).goes(3),
    Column::whole("OPERATION").goes(6),
    Column::text("REASON", 16),
    Column::text("TITLE", 16).goes(4),
];

/// Arguments of `sluice dlq dropped`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct DroppedArgs {
    #[command(flatten)]
    filters: Filters,
    /// Select dead letters dropped by this operation; repeatable
    #[arg(long = "operation", value_name = "OPERATION")]
    operations: Vec<String>,
    /// Print one JSON object per line
    ///
    /// Keys: those of `sluice dlq list --json`, then dropped_at, actor, operation, reason (as it was given, or null),
    /// and copies (identical dead letters share one line).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Lists them.
///
/// # Errors
/// When the database cannot be queried, or stdout cannot be written.
pub(in crate::dlq) async fn run(args: DroppedArgs) -> anyhow::Result<Exit> {
    args.filters.check()?;
    let store = Store::new(&args.servers.database)?;
    store.check_schema().await?;
    let prefix = args.servers.broker.prefix.as_str();
    let found = super::find(&store, prefix, &args.filters, &args.operations).await;
    store.close().await;
    let DroppedEntries { chosen, missing, total } = found?;
    print(&chosen, args.json)?;
    let copies: usize = chosen.iter().map(DroppedEntry::copies).sum();
    report!("{copies} of {total} dropped dead letters of prefix {prefix}; `sluice dlq restore` restores them");
    missing.iter().for_each(|(id, reason)| report!("{}: {}", line(id), line(reason)));
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Partial })
}

/// Prints entries.
///
/// # Errors
/// When stdout cannot be written.
pub(in crate::dlq) fn print(entries: &[DroppedEntry], json: bool) -> std::io::Result<()> {
    if json {
        return output::print(|out| entries.iter().try_for_each(|entry| output::json_line(out, &Shown::new(entry))));
    }
    if entries.is_empty() {
        return Ok(());
    }
    output::print(|out| write!(out, "{}", in_columns(entries, room(&std::io::stdout()))))
}

/// One object of `--json`.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    summary: &'a DeadLetterSummary,
    #[serde(with = "time::serde::rfc3339")]
    dropped_at: OffsetDateTime,
    actor: &'a str,
    operation: &'a str,
    reason: Option<&'a str>,
    copies: usize,
}

impl<'a> Shown<'a> {
    fn new(entry: &'a DroppedEntry) -> Self {
        let operation = entry.lines.first().map_or("", |line| &line.operation);
        let DroppedEntry { summary, at: dropped_at, actor, reason, .. } = entry;
        Self { summary, dropped_at: *dropped_at, actor, operation, reason: reason.as_deref(), copies: entry.copies() }
    }
}

fn in_columns(entries: &[DroppedEntry], room: Option<usize>) -> String {
    let row = |entry: &DroppedEntry| {
        let Shown { summary, dropped_at, actor, operation, reason, copies } = Shown::new(entry);
        let title = summary.title.as_deref().map_or_else(|| "-".to_owned(), line);
        vec![
            line(&summary.id),
            summary.class.to_string(),
            line(&summary.code),
            shown(Some(dropped_at)),
            line(actor),
            line(operation),
            reason.map_or_else(|| "-".to_owned(), line),
            if copies > 1 { format!("{title} ({copies} ×)") } else { title },
        ]
    };
    columns::table(&COLUMNS, &entries.iter().map(row).collect::<Vec<_>>(), room)
}
