//! An operation: what replay and drop have in common, from the command line to the exit code.
//!
//! ```text
//!  flags ──► selection ──► (preview ──► confirmation) ──► rounds: batch ──► replay or drop ──► report ──► exit code
//!            empty: 2       browsed, all returned              ▲            │
//!                                                              └────────────┘ until the end, an error or Ctrl-C
//! ```
//!
//! An operation that cannot be recorded is not done, so MySQL is checked first.

pub(in crate::dlq) mod backpressure;
pub(crate) mod batch;
pub(in crate::dlq) mod drop;
pub(in crate::dlq) mod dropper;
pub(crate) mod forecast;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod preview;
pub(crate) mod rate_limit;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod run_loop;

pub(crate) use request::Action;

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;

use crate::ask;
use crate::browse::DeadLetters;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::select::{Filters, Selection};
use crate::numbers::count;
use batch::Chosen;
use options::ReplayOptions;
use request::Request;
use sluice_runtime::output::report;

/// Arguments common to `sluice dlq replay` and `sluice dlq drop`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct OperationArgs {
    /// Ids of dead letters, same as --id
    ///
    /// With filters, only those that match the filters are selected.
    #[arg(value_name = "ID")]
    given: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Select every dead letter
    #[arg(long, conflicts_with_all = ["given", "ids", "class", "code", "fingerprint", "since", "until", "contains"])]
    all: bool,
    /// List what would be done without doing it
    #[arg(long)]
    dry_run: bool,
    /// Skip the confirmation prompt; required if there is no terminal
    #[arg(long, short = 'y')]
    yes: bool,
    /// Process at most N dead letters per second [default: as fast as possible]
    #[arg(long, value_name = "N", value_parser = count)]
    rate: Option<u32>,
    /// Print one JSON object per dead letter to stdout: {"id", "outcome", "detail"}
    ///
    /// Objects are printed one per line, each when its outcome is known. The outcome is replayed, left (it was replayed
    /// too often), dropped, destroyed, failed or unknown (no dead letter has that id); with --dry-run would_replay,
    /// would_drop or would_destroy.
    #[arg(long)]
    json: bool,
    /// Why it is done, for the audit log.
    #[arg(skip)]
    pub(in crate::dlq) reason: Option<String>,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Arguments of `sluice dlq replay`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct ReplayArgs {
    #[command(flatten)]
    pub(in crate::dlq) operation: OperationArgs,
    #[command(flatten)]
    pub(in crate::dlq) options: ReplayOptions,
}

/// Does it.
///
/// # Errors
/// When the arguments are wrong, or nothing could be started. Later errors are reported and determine the exit code.
pub(in crate::dlq) async fn run(mut args: OperationArgs, action: Action) -> anyhow::Result<Exit> {
    let wording = action.wording();
    args.filters.ids.append(&mut args.given);
    args.filters.check()?;
    if !args.all && !args.filters.select() {
        let problem = "no dead letters are selected: give ids, filters, or --all for every one of them";
        return Err(ConfigError::new(wording.command, problem).into());
    }
    let plan = matches!(&action, Action::Replay(options) if options.plan);
    let ask = !args.yes && !args.dry_run && !plan;
    if ask && !ask::can_ask() {
        let problem = "there is no terminal for a confirmation prompt: use --yes to do it, or --dry-run to see what \
                       would be done";
        return Err(ConfigError::new(wording.command, problem).into());
    }
    let dead = DeadLetters::new(&args.servers.broker, wording.command)?;
    let request = Request { filters: args.filters, all: args.all, rate: args.rate, reason: args.reason };
    let preview = async || {
        let preview = action.preview(&dead, request.filters.clone(), &args.servers.database).await?;
        if let Some(why) = &preview.unreachable {
            report!("the table cannot be checked: {why}");
        }
        anyhow::Ok(preview)
    };
    if args.dry_run || plan {
        let preview = preview().await?;
        return if plan { preview::plan(&preview, args.json) } else { preview::dry_run(preview, wording, args.json) };
    }
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let prefix = args.servers.broker.prefix.as_str();
    let mut audit_log = AuditLog::new(store, wording.kind, prefix, request.asked(&action)).await;
    let chosen = if ask {
        let preview = preview().await?;
        if preview.count > 0 && !preview::ask(&preview, wording, &dead).await? {
            audit_log.deny(preview.oldest.iter(), "answered no").await;
            report!("nothing was done");
            return Ok(Exit::Failed);
        }
        Chosen::shown(preview.shown, preview.unknown)
    } else {
        Chosen::matching(Selection::new(request.filters.clone()))
    };
    let operation = action.begin(&request, dead, audit_log, chosen)?;
    operation.run(wording, Audience::Terminal { json: args.json }).await
}
