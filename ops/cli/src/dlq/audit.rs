//! `sluice dlq audit`: who did what to which dead letters. It needs only MySQL; RabbitMQ may be down.

use clap::Args;
use sluice_core::config::ServerArgs;
use sluice_core::named::Named;
use sluice_mysql::{AuditEntry, Store};
use sluice_runtime::exit::Exit;

use crate::columns::{self, Column, room};
use crate::times::shown;
use crate::visible::line;
use sluice_runtime::output::{self, report};

/// The columns of the table.
const COLUMNS: [Column; 7] = [
    Column::whole("AT").goes(1),
    Column::text("BY", 8).goes(2),
    Column::whole("DID"),
    Column::whole("DEAD LETTER"),
    Column::whole("OUTCOME"),
    Column::whole("OPERATION").goes(3),
    Column::text("DETAIL", 16),
];

/// Arguments of `sluice dlq audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Show only operations on dead letters with this id, or that held the post with this id
    #[arg(long, value_name = "ID")]
    dead_letter: Option<String>,
    /// Show at most N lines
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print one JSON object per line
    ///
    /// Keys: at, operation, kind, actor, dead_letter, outcome, detail, archived (whether the dead letter as it was
    /// before is in the audit log), undone_by (an operation, or null), asked (what the operation was asked to do), post
    /// (the id of the post that it held), reason (as it was given), death (why it was dead-lettered, as the dead letter
    /// said: class, code, message, attempts, first_failed_at, last_failed_at, worker, submitted_at).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Lists it.
///
/// # Errors
/// When the database cannot be queried, or stdout cannot be written.
pub(super) async fn run(args: AuditArgs) -> anyhow::Result<Exit> {
    let store = Store::new(&args.servers.database)?;
    store.check_schema().await?;
    let prefix = args.servers.broker.prefix.as_str();
    let named = args.dead_letter.as_deref().map(Named::new);
    let read = store.audit_log(prefix, named.as_ref(), args.limit).await.map_err(|failure| store.with_context(failure));
    store.close().await;
    let read = read?;
    if read.is_empty() {
        let of = args.dead_letter.as_ref().map(|id| format!(" of dead letter {}", line(id))).unwrap_or_default();
        report!("no operations are recorded{of} for prefix {prefix}");
        return Ok(Exit::Done);
    }
    if args.json {
        output::print(|out| read.iter().try_for_each(|line| output::json_line(out, line)))?;
    } else {
        output::print(|out| write!(out, "{}", in_columns(&read, room(&std::io::stdout()))))?;
    }
    Ok(Exit::Done)
}

fn in_columns(read: &[AuditEntry], room: Option<usize>) -> String {
    let row = |read: &AuditEntry| {
        let AuditEntry { at, operation, kind, actor, dead_letter, outcome, detail, undone_by, reason, .. } = read;
        let undone = undone_by.as_ref().map(|operation| format!("undone by operation {operation}"));
        let reason = reason.as_ref().map(|reason| format!("reason: {reason}"));
        let detail = [reason, Some(detail.clone()).filter(|detail| !detail.is_empty()), undone];
        let detail = detail.into_iter().flatten().collect::<Vec<_>>().join("; ");
        vec![
            shown(Some(*at)),
            line(actor),
            line(kind),
            line(dead_letter),
            line(outcome),
            line(operation),
            if detail.is_empty() { "-".to_owned() } else { line(&detail) },
        ]
    };
    columns::table(&COLUMNS, &read.iter().map(row).collect::<Vec<_>>(), room)
}
