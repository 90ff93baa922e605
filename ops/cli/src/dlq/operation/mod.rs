//! An operation: dead letters replayed or dropped. What both have in common, from the command line to the exit code.
//!
//! ```text
//!  flags ──► selection ──► (preview ──► confirmation) ──► rounds: batch ──► replay or drop ──► report ──► exit code
//!            empty: 2       looked at, all put back            ▲            │
//!                                                              └────────────┘ until the end, an error or Ctrl-C
//! ```
//!
//! An operation that cannot be recorded is not done, so MySQL is asked first.

pub(in crate::dlq) mod backpressure;
pub(in crate::dlq) mod batch;
pub(in crate::dlq) mod drop;
pub(in crate::dlq) mod dropper;
pub(in crate::dlq) mod forecast;
pub(in crate::dlq) mod options;
pub(in crate::dlq) mod plan;
pub(in crate::dlq) mod preview;
pub(in crate::dlq) mod rate_limit;
pub(in crate::dlq) mod replay;
pub(in crate::dlq) mod run_loop;

use clap::Args;
use sluice_core::config::{ConfigError, DatabaseArgs, ServerArgs};
use sluice_mysql::Store;
use sluice_rabbit::publisher::Publisher;
use sluice_runtime::exit::Exit;

use crate::ask;
use crate::browse::DeadLetters;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::wording::{DESTROY, DROP, REPLAY, Wording};
use crate::dlq::select::{Filters, Selection};
use crate::numbers::count;
use batch::Chosen;
use forecast::Judge;
use options::ReplayOptions;
use preview::Preview;
use rate_limit::{BATCH, RateLimit};
use replay::Replayer;
use run_loop::{Executor, RunLoop};
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
/// When it was asked wrongly, or nothing could be begun. What happens later is told and shows in the exit code.
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
        let problem = "there is no terminal to ask on: say --yes to do it, or --dry-run to see what would be done";
        return Err(ConfigError::new(wording.command, problem).into());
    }
    let dead = DeadLetters::new(&args.servers.broker, wording.command)?;
    let selection = Selection::new(args.filters.clone());
    if args.dry_run || plan {
        let preview = Preview::take(&dead, selection, judge(&action, &args.servers.database)?).await?;
        return if plan { preview::plan(&preview, args.json) } else { preview::dry_run(preview, wording, args.json) };
    }
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let mut asked =
        serde_json::json!({ "filters": args.filters, "all": args.all, "rate": args.rate, "reason": args.reason });
    if let Action::Replay(ReplayOptions { canary: Some(canary), abort_over, .. }) = &action {
        asked["canary"] = serde_json::json!({ "dead_letters": canary, "abort_over": abort_over });
    }
    let mut audit_log = AuditLog::new(store, wording.kind, args.servers.broker.prefix.as_str(), asked).await;
    let chosen = if ask {
        let preview = Preview::take(&dead, selection, judge(&action, &args.servers.database)?).await?;
        if preview.count > 0 && !preview::ask(&preview, wording, &dead).await? {
            audit_log.deny(preview.oldest.iter(), "answered no").await;
            report!("nothing was done");
            return Ok(Exit::Failed);
        }
        Chosen::shown(preview.shown, preview.unknown)
    } else {
        Chosen::matching(selection)
    };
    let (executor, rate_limit) = match action {
        Action::Drop => (Executor::Dropper, RateLimit::new(args.rate, BATCH)),
        Action::Destroy => (Executor::Destroyer, RateLimit::new(args.rate, BATCH)),
        Action::Replay(options) => {
            let publisher = Publisher::new(&dead.broker, replay::PATIENCE)?;
            (Executor::Replayer(Replayer { publisher, options }), RateLimit::new(args.rate, replay::BATCH))
        }
    };
    RunLoop::new(dead, executor, audit_log, chosen, rate_limit).run(wording, args.json).await
}

/// Who says what would become of the dead letters. Of those that are dropped that is known.
fn judge(action: &Action, database: &DatabaseArgs) -> anyhow::Result<Option<Judge>> {
    match action {
        Action::Replay(options) => Ok(Some(Judge::new(options, Store::new(database)?)?)),
        Action::Drop | Action::Destroy => Ok(None),
    }
}

/// What may be done with chosen dead letters.
#[derive(Debug, Clone)]
pub(in crate::dlq) enum Action {
    /// Back to work.
    Replay(ReplayOptions),
    /// Out of RabbitMQ, into the audit log.
    Drop,
    /// Out of RabbitMQ, and nothing is kept.
    Destroy,
}

impl Action {
    fn wording(&self) -> Wording {
        match self {
            Self::Replay(_) => REPLAY,
            Self::Drop => DROP,
            Self::Destroy => DESTROY,
        }
    }
}
