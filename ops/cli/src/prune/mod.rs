//! `sluice prune`: old posts are deleted while workers go on.
//!
//! ```text
//!  pass     page after page, batch after batch, until the end or Ctrl-C
//!  pace     how many posts a batch has, and how long the rest after it is
//!  tally    how many were deleted, and how many stay for which reason
//!  past     earlier prunes
//! ```

mod pace;
mod pass;
mod past;
mod tally;

use std::time::Duration;

use clap::Args;
use sluice_core::config::{DatabaseArgs, duration};
use sluice_core::verdict::Verdict;
use sluice_mysql::{Prune, Store};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::report;
use sluice_runtime::shutdown;

use crate::actor::actor;
use crate::review::desk::confirm;
use crate::times::shown;
use pass::Pass;

/// A younger post is never deleted: its row is what tells a redelivery, or a repeated submission, from a new post.
const LEAST_AGE: Duration = Duration::from_secs(24 * 3600);

/// Arguments of `sluice prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Delete posts that were stored, and last decided, longer ago than this, such as 400d; at least 1d
    #[arg(long, value_name = "DURATION", value_parser = age, required_unless_present = "past")]
    older_than: Option<Duration>,
    /// Delete only posts on which one of these verdicts stands: approved, held or rejected [default: any]
    ///
    /// A person's decision counts before that of the rules.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = verdict)]
    verdict: Vec<Verdict>,
    /// Delete at most N posts in one transaction, 1 to 5000; fewer where that takes longer than a quarter of a second
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    batch: u32,
    /// Count what would be deleted, and change nothing
    #[arg(long)]
    plan: bool,
    /// List earlier prunes instead, the latest first (read only)
    #[arg(long, conflicts_with_all = ["older_than", "verdict", "batch", "plan", "yes"])]
    past: bool,
    /// Skip the confirmation prompt; required if there is no terminal
    #[arg(long, short = 'y')]
    yes: bool,
    /// Print one JSON object; with --past one per line
    ///
    /// Keys: prune (its id, null with --plan), stored_before, verdicts, looked_at (posts that were read), pruned (with
    /// --plan: that would be), kept (old posts that stay, by reason: open_case, held_without_case, appealable,
    /// decided_since, undelivered, other_verdict), seconds, complete (false after Ctrl-C). With --past: prune, actor,
    /// stored_before, verdicts, begun_at, pruned.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Deletes them, or counts them.
///
/// # Errors
/// When there is nobody to ask, or the database cannot be used. What was deleted until then stays deleted.
pub async fn run(args: PruneArgs) -> anyhow::Result<Exit> {
    let Some(older_than) = args.older_than else { return past::run(&args.database, args.json).await };
    if !args.plan {
        confirm::can(args.yes, "prune")?;
    }
    let stop = shutdown::on_interrupt()?;
    let store = Store::new(&args.database)?;
    store.check_schema().await?;
    let with_context = |failure| store.with_context(failure);
    let age = time::Duration::try_from(older_than).unwrap_or(time::Duration::MAX);
    let prune = store.plan_prune(actor().await, age, args.verdict).await.map_err(with_context)?;
    if !args.plan {
        if let Some(exit) = confirm::ask(args.yes, &question(&prune, store.database()), &stop).await? {
            return Ok(exit);
        }
        store.begin_prune(&prune).await.map_err(with_context)?;
    }
    let mut pass = Pass::new(&store, &prune, args.batch, args.plan);
    let done = pass.run(&stop).await;
    let tally = pass.tally();
    store.close().await;
    if let Err(failure) = done {
        if !args.plan {
            report!("{} were deleted; the same command goes on with the rest", tally::posts(tally.pruned));
        }
        return Err(with_context(failure).into());
    }
    tally.print(&prune, args.plan, args.json)?;
    Ok(if tally.complete { Exit::Done } else { Exit::Interrupted })
}

fn question(prune: &Prune, database: &str) -> String {
    let which = match prune.verdicts.as_slice() {
        [] => "posts".to_owned(),
        verdicts => format!("posts that are {}", tally::either(verdicts)),
    };
    format!(
        "{which} in `{database}` that were stored before {}, with their cases and decisions; --plan counts them\n\
         Delete them for good?",
        shown(Some(prune.before))
    )
}

fn age(text: &str) -> Result<Duration, String> {
    let age = duration(text)?;
    if age >= LEAST_AGE {
        return Ok(age);
    }
    Err("posts of the last day are never deleted: their rows tell redelivered posts from new ones; use 1d or more"
        .to_owned())
}

fn verdict(text: &str) -> Result<Verdict, String> {
    let found = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text);
    found.ok_or_else(|| "it must be approved, held or rejected".to_owned())
}
