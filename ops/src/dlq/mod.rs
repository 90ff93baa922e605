//! `sluice dlq`: what died, why, and what is to be done about it.
//!
//! ```text
//!  select   which letters        look     all in hand for a moment, all put back
//!  list, show                    read only
//!  act ──► preview, consent ──► ledger (the act is recorded) ──► replay or drop, batch after batch ──► outcome
//! ```

mod act;
mod batch;
mod consent;
mod drop;
mod ledger;
mod list;
pub(crate) mod look;
mod outcome;
mod pace;
mod replay;
mod select;
mod show;

use clap::{Args, Subcommand};
use common::exit::Exit;

/// Which command.
#[derive(Debug, Args)]
pub struct DlqArgs {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Debug, Subcommand)]
enum DlqCommand {
    /// One line for each dead letter, the oldest first; changes nothing
    List(list::ListArgs),
    /// The whole story of one dead letter; changes nothing
    Show(show::ShowArgs),
    /// Put dead letters back to work
    Replay(act::ActArgs),
    /// Take dead letters out for good; their bodies are kept in the database's record of acts
    Drop(act::ActArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: DlqArgs) -> anyhow::Result<Exit> {
    match args.command {
        DlqCommand::List(args) => list::run(args).await,
        DlqCommand::Show(args) => show::run(args).await,
        DlqCommand::Replay(args) => act::run(args, common::store::ActKind::Replay).await,
        DlqCommand::Drop(args) => act::run(args, common::store::ActKind::Drop).await,
    }
}
