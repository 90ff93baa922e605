//! `sluice replays`: past replays, and the outcomes of their dead letters.
//!
//! ```text
//!  dlq replay ──► each message bears the replay's id ──► dead again with it: failed again
//!      └──► the audit log: each dead letter, and what was stored before ──┐
//!  posts, later operations, one look at the dead letters ───────────────┴──► the fate of each dead letter
//! ```
//!
//! Outcomes are computed on request, from data that the audit log and the messages hold anyway, so nothing can become
//! inconsistent.

pub(crate) mod fate;
pub(crate) mod list;
mod show;
pub(crate) mod trace;
pub(crate) mod watch;

use clap::{Args, Subcommand};
use sluice_mysql::{PastItem, Store, StoreError};
use sluice_runtime::exit::Exit;

use fate::{DiedAgain, Fate, fates};

/// How many dead letters are evaluated at a time.
const PAGE: u32 = 1000;

/// Arguments of `sluice replays`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ReplaysArgs {
    #[command(subcommand)]
    command: Option<ReplaysCommand>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum ReplaysCommand {
    /// Show the outcome of each dead letter of one replay (read only)
    ///
    /// The outcome is recorded, already recorded (its row was there before), failed again (with the new reason),
    /// waiting, replayed again or dropped (by a later operation), left, or not replayed.
    Show(show::ShowArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: ReplaysArgs) -> anyhow::Result<Exit> {
    match args.command {
        None => list::run(args.list).await,
        Some(ReplaysCommand::Show(args)) => show::run(args).await,
    }
}

/// Computes the outcome of each dead letter of a replay, page by page.
///
/// # Errors
/// The database's.
pub(crate) async fn each(
    store: &Store,
    replay: &str,
    died: &DiedAgain,
    mut report: impl FnMut(PastItem, Fate),
) -> Result<(), StoreError> {
    let with_context = |failure| store.with_context(failure);
    let mut after = 0;
    loop {
        let dead_letters = store.items_of(replay, after, PAGE).await.map_err(with_context)?;
        let Some(last) = dead_letters.last() else { return Ok(()) };
        after = last.number;
        let fates = fates(store, replay, &dead_letters, died).await.map_err(with_context)?;
        dead_letters.into_iter().zip(fates).for_each(|(dead_letter, fate)| report(dead_letter, fate));
    }
}
