//! `sluice dlq show`: one dead letter in full.

mod text;
pub(crate) mod whole;

use std::io::IsTerminal as _;
use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use sluice_core::config::ServerArgs;
use sluice_core::dead_letter::Origin;
use sluice_core::failure::Failure;
use sluice_core::named::Named;
use sluice_mysql::{AuditEntry, Store, StoreError};
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterSummary};
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use crate::browse::DeadLetters;
use crate::dlq::select::named::resolve;
use crate::spool::Spool;
use crate::visible::line;
use sluice_runtime::output::report;

/// Arguments of `sluice dlq show`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct ShowArgs {
    /// Id of the dead letter, as shown by `sluice dlq list`, or of the post it holds
    ///
    /// At least 4 characters from the beginning of the id are enough, if no other dead letter's id begins with them.
    /// `latest` selects the dead letter that failed last.
    id: String,
    #[command(flatten)]
    servers: ServerArgs,
    /// Print one JSON object
    ///
    /// Keys: those of `sluice dlq list --json`, then origin, user (who published it; RabbitMQ verifies this value,
    /// all others come from the dead letter itself), headers, body (as text), body_is_utf8, and operations
    /// (as in `sluice dlq audit --json`, oldest first; null if MySQL could not be queried).
    #[arg(long, conflicts_with = "body")]
    json: bool,
    /// Print only the body, byte for byte; on a terminal, hidden characters are escaped
    #[arg(long)]
    body: bool,
}

/// Shows it. Dead letters that share the id are shown one after the other.
pub(in crate::dlq) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let dead = DeadLetters::new(&args.servers.broker, "dlq show")?;
    let named = resolve(&dead, &args.id).await?;
    let store = Store::new(&args.servers.database)?;
    let operations = if args.body { None } else { Some(operations(&store, &dead.prefix, &named).await) };
    store.close().await;
    let known = operations.as_ref().and_then(|operations| operations.as_deref().ok());
    let mut found = Spool::<()>::new()?;
    let show = |dead_letter: DeadLetter| {
        if !dead_letter.summary.is(&named) {
            return ControlFlow::Continue(());
        }
        let written = match (args.body, args.json) {
            // The oldest alone.
            (true, _) => found.count > 0 || found.write(|out| out.write_all(dead_letter.body())),
            (_, true) => found.add(&Shown::new(&dead_letter, known)),
            _ => {
                let (now, gap) = (OffsetDateTime::now_utc(), if found.count > 0 { "\n" } else { "" });
                let no_post = dead_letter.post(now).err().map(Failure::from);
                let advice = text::advice(no_post.as_ref(), &dead_letter.summary, &dead.prefix);
                let text = text::full(&Shown::new(&dead_letter, known), &advice, now);
                found.write(|out| write!(out, "{gap}{text}"))
            }
        };
        if written { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let total = dead.look(show).await?;
    let queue = dead.topology.dead_letter_queue();
    if found.count == 0 {
        let id = line(&args.id);
        report!("no dead letter in {queue} has the id {id} ({total} were browsed); `sluice dlq list` lists them");
        return Ok(Exit::Partial);
    }
    if found.count > 1 {
        report!("{} dead letters have this id, the oldest comes first", found.count);
    }
    if let Some(Err(error)) = &operations {
        report!("the operations on it cannot be read: {error}");
    }
    if args.body && !std::io::stdout().is_terminal() {
        found.print_raw()?
    } else {
        found.print()?
    }
    Ok(Exit::Done)
}

/// The most operations that are shown, the latest ones.
const OPERATIONS: u32 = 100;

/// What was done to the dead letter, the oldest first.
///
/// # Errors
/// The database's.
pub(crate) async fn operations(store: &Store, prefix: &str, named: &Named) -> Result<Vec<AuditEntry>, StoreError> {
    let read = store.audit_log(prefix, Some(named), OPERATIONS).await;
    let mut operations = read.map_err(|failure| store.with_context(failure))?;
    operations.reverse();
    Ok(operations)
}

/// The JSON of a dead letter.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    #[serde(flatten)]
    summary: &'a DeadLetterSummary,
    origin: Option<&'a Origin>,
    user: Option<&'a str>,
    headers: Value,
    body: String,
    body_is_utf8: bool,
    operations: Option<&'a [AuditEntry]>,
}

impl<'a> Shown<'a> {
    /// Of a dead letter that is in flight, and what was done to it.
    pub(crate) fn new(dead_letter: &'a DeadLetter, operations: Option<&'a [AuditEntry]>) -> Self {
        Self {
            summary: &dead_letter.summary,
            origin: dead_letter.origin.as_ref(),
            user: dead_letter.user(),
            headers: dead_letter.headers(),
            body: String::from_utf8_lossy(dead_letter.body()).into_owned(),
            body_is_utf8: std::str::from_utf8(dead_letter.body()).is_ok(),
            operations,
        }
    }
}
