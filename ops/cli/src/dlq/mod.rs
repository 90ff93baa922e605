//! `sluice dlq`: what died, why, and what is to be done about it.
//!
//! ```text
//!  select   which dead letters        look     all in flight for a moment, all put back
//!  named    which dead letter is meant by a beginning of its id, or by `latest`
//!  groups, list, show, export    read only
//!  operation ──► preview, confirmation ──► audit log (the operation is recorded) ──► replay or drop, batch after batch ──► outcome
//!  dropped, restore    what the audit log keeps of dropped dead letters: read, and put back
//!  edit               one dead letter in place of another, which the audit log keeps
//!  record             who did what to which dead letters
//! ```

mod archive;
mod audit;
mod audit_log;
mod backpressure;
mod batch;
mod body;
mod drop;
mod dropped;
mod dropper;
mod edit;
mod editor;
mod export;
mod forecast;
mod found;
mod group;
mod groups;
mod ids;
mod import;
mod list;
mod named;
mod operation;
mod options;
mod outcome;
mod plan;
mod preview;
mod rate_limit;
mod replace;
mod replay;
mod restore;
mod run_loop;
mod select;
mod show;
mod wording;

use clap::{Args, Subcommand};
use sluice_runtime::exit::Exit;

/// Which command.
#[derive(Debug, Args)]
pub struct DlqArgs {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Debug, Subcommand)]
enum DlqCommand {
    /// The kinds of dead letters, the most frequent first; changes nothing
    Groups(groups::GroupsArgs),
    /// One line for each dead letter, the oldest first; changes nothing
    List(list::ListArgs),
    /// The whole story of one dead letter; changes nothing
    Show(show::ShowArgs),
    /// Write dead letters out in full, one JSON object a line; changes nothing
    Export(export::ExportArgs),
    /// Put exported dead letters back among the dead ones, as they were
    Import(import::ImportArgs),
    /// Put dead letters back to work
    Replay(operation::ReplayArgs),
    /// Take dead letters out of the queue; the audit log in the database keeps them for restore
    ///
    /// Each dead letter is written to the audit log in full (properties, headers with their types, body), and only then
    /// taken out of RabbitMQ. --forever keeps nothing of it.
    Drop(drop::DropArgs),
    /// Fix a dead letter's body, in an editor or by a patch; the audit log keeps the original
    ///
    /// The body opens in VISUAL, else EDITOR, else vi. The dead letter keeps its id and all else it bears, moves to the
    /// end of the queue, and gets a header `sluice-edited` that names the operation. A worker must be able to take the
    /// result. The id of the post in the body must not change, unless another post is stored under it: then --new-id
    /// gives it a fresh one. The original is in the audit log before anything is done: --undo brings it back until the
    /// dead letter is replayed. If an edit is killed half-way, both dead letters are in the queue; the same command, or
    /// --undo, makes them one.
    Edit(edit::EditArgs),
    /// The dropped dead letters that can be brought back, the longest dropped first; changes nothing
    Dropped(dropped::DroppedArgs),
    /// Put dropped dead letters back among the dead ones, as they were
    ///
    /// They come to stand at the end of the queue. What was brought back already, or was destroyed, is named with the
    /// reason. A dead letter that is in the queue is not brought back a second time, so a restore that was cut short
    /// is simply run again. Dead letters that nothing tells apart come back together.
    Restore(restore::RestoreArgs),
    /// Who did what to which dead letters, when, and with which outcome, the latest first; changes nothing
    ///
    /// `denied` is an operation that was not done: somebody answered no, or its result was refused. `kept` says that
    /// the dead letter as it was is in the audit log before an edit goes on.
    Audit(audit::AuditArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: DlqArgs) -> anyhow::Result<Exit> {
    match args.command {
        DlqCommand::Groups(args) => groups::run(args).await,
        DlqCommand::List(args) => list::run(args).await,
        DlqCommand::Show(args) => show::run(args).await,
        DlqCommand::Export(args) => export::run(args).await,
        DlqCommand::Import(args) => import::run(args).await,
        DlqCommand::Replay(args) => operation::run(args.operation, operation::Action::Replay(args.options)).await,
        DlqCommand::Drop(args) => drop::run(args).await,
        DlqCommand::Edit(args) => edit::run(args).await,
        DlqCommand::Dropped(args) => dropped::run(args).await,
        DlqCommand::Restore(args) => restore::run(args).await,
        DlqCommand::Audit(args) => audit::run(args).await,
    }
}
