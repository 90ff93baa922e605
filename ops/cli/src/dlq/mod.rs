//! `sluice dlq`: what was dead-lettered, why, and how to handle it.
//!
//! ```text
//!  select   which dead letters        look     all in flight for a moment, all returned
//!  named    finds a dead letter by the beginning of its id, or `latest`
//!  groups, list, show, export    read only
//!  operation ──► preview, confirmation ──► audit log (the operation is recorded) ──► replay or drop, batch after batch ──► outcome
//!  dropped, restore    dropped dead letters in the archive: listed, and restored
//!  edit               replaces a dead letter; the original is in the audit log
//!  audit              who did what to which dead letters
//! ```

pub(crate) mod archive;
mod audit;
pub(crate) mod browse;
pub(crate) mod edit;
pub(crate) mod operation;
pub(crate) mod report;
pub(crate) mod select;

use clap::{Args, Subcommand};
use sluice_runtime::exit::Exit;

/// Arguments of `sluice dlq`.
#[derive(Debug, Args)]
pub struct DlqArgs {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Debug, Subcommand)]
enum DlqCommand {
    /// Count dead letters by kind of failure, most frequent first (read only)
    ///
    /// With --since, each kind is also marked as new or known: a kind is new if no dead letter of that kind still in
    /// the queue failed before that time.
    Groups(browse::groups::GroupsArgs),
    /// List dead letters, oldest first (read only)
    List(browse::list::ListArgs),
    /// Show one dead letter in full, with its history (read only)
    Show(browse::show::ShowArgs),
    /// Write dead letters in full to stdout, one JSON object per line (read only)
    Export(browse::export::ExportArgs),
    /// Put exported dead letters back into the dead-letter queue, unchanged
    Import(archive::import::ImportArgs),
    /// Publish dead letters to the work queue again
    Replay(operation::ReplayArgs),
    /// Remove dead letters from RabbitMQ and archive them in MySQL for restore
    ///
    /// Each dead letter is written to the archive in full (properties, headers with their types, body) before it is
    /// removed from RabbitMQ. With --forever, its content is not kept.
    Drop(operation::drop::DropArgs),
    /// Fix the body of a dead letter, in an editor or with a patch
    ///
    /// Opens the body in the editor that VISUAL or EDITOR names, else vi. The dead letter keeps its id, its other
    /// properties and its headers, moves to the end of the queue, and gets a header `sluice-edited` that names the
    /// operation. The result must be a post that a worker accepts, unless --even-if-invalid is given. The id of the
    /// post in the body must not change, unless another post is stored under it: then --new-id gives it a new one. The
    /// original is written to the audit log first. Until the dead letter is replayed, --undo reverts the edit. If an
    /// edit is killed halfway, both the original and the edited dead letter are in the queue; run the same command
    /// again, or --undo, to leave only one.
    Edit(edit::EditArgs),
    /// List dropped dead letters that can be restored, oldest drop first (read only)
    Dropped(archive::dropped::DroppedArgs),
    /// Put dropped dead letters back into the dead-letter queue, unchanged
    ///
    /// Restored dead letters go to the end of the queue. Dead letters that were already restored, or were destroyed,
    /// are reported with the reason. A dead letter that is in the queue is not restored a second time, so an
    /// interrupted restore can simply be run again. Identical dead letters are restored together.
    Restore(archive::restore::RestoreArgs),
    /// List operations on dead letters and their outcomes, latest first (read only)
    ///
    /// Each line says who did what to which dead letter, when, and with which outcome. The outcome `denied` means that
    /// the operation was not done: the prompt was answered with no, or the result of an edit was refused. The outcome
    /// `archived` means that a copy of the dead letter was written to the audit log before it was edited or reverted.
    Audit(audit::AuditArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: DlqArgs) -> anyhow::Result<Exit> {
    match args.command {
        DlqCommand::Groups(args) => browse::groups::run(args).await,
        DlqCommand::List(args) => browse::list::run(args).await,
        DlqCommand::Show(args) => browse::show::run(args).await,
        DlqCommand::Export(args) => browse::export::run(args).await,
        DlqCommand::Import(args) => archive::import::run(args).await,
        DlqCommand::Replay(args) => operation::run(args.operation, operation::Action::Replay(args.options)).await,
        DlqCommand::Drop(args) => operation::drop::run(args).await,
        DlqCommand::Edit(args) => edit::run(args).await,
        DlqCommand::Dropped(args) => archive::dropped::run(args).await,
        DlqCommand::Restore(args) => archive::restore::run(args).await,
        DlqCommand::Audit(args) => audit::run(args).await,
    }
}
