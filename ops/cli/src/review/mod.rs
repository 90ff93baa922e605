//! `sluice review`: people's review of held posts, at the command line.
//!
//! ```text
//!  list, show           read only                     find      which case is meant by an id or its beginning
//!  next                 claims one                    about     all that is known of a case ──► page, or JSON
//!  decide, undo, bulk   decisions                     refused   somebody else was first: who, when and what
//!  release, skip, escalate, note     withdraw, forget, appeal     measures, policies, sweep
//! ```
//!
//! All of it asks MySQL alone. Who acts is whoever says so with `--as`: people who may run this are trusted.

mod about;
mod appeal;
mod bulk;
mod bulk_undo;
mod confirm;
mod decide;
mod desk;
mod find;
mod forget;
mod give_back;
mod item;
mod list;
mod measures;
mod next;
mod note;
mod page;
mod person;
mod policies;
mod reasons;
mod refused;
mod show;
pub(crate) mod sweep;
mod undo;
mod withdraw;

use clap::{Args, Subcommand};
use sluice_mysql::review::Release;
use sluice_runtime::exit::Exit;

/// Arguments of `sluice review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    #[command(subcommand)]
    command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// List cases, in the order in which they are handed out (read only)
    List(list::ListArgs),
    /// Claim the next case and show it in full
    ///
    /// The worst is handed out first, then the oldest. The claim lasts 10 minutes; a case whose claim is over waits
    /// again by itself. Exits with 3 if no case is free.
    Next(next::NextArgs),
    /// Show one case in full, with its decisions, notes and deliveries (read only)
    Show(show::ShowArgs),
    /// Decide a case: approve or reject its post
    ///
    /// The decision, its event for the forum and the end of the case are written together. A case that nobody has
    /// claimed can be decided without a claim. Exits with 3, and says who, when and what, if somebody else has claimed
    /// or decided it.
    Decide(decide::DecideArgs),
    /// Undo a decision: what stood before stands again, as a new revision
    ///
    /// Only whoever decided, or a lead, may undo, and only the last decision on a post. The case is open again, and
    /// claimed by whoever undid.
    Undo(undo::UndoArgs),
    /// Give a claimed case back, for the next one who asks
    Release(give_back::GiveBackArgs),
    /// Give a claimed case back because you would rather not decide it
    ///
    /// A case that was handed out five times and is skipped once more goes to a lead.
    Skip(give_back::GiveBackArgs),
    /// Leave a case to a lead
    Escalate(give_back::EscalateArgs),
    /// Add a note for the team to a case
    Note(note::NoteArgs),
    /// Decide all waiting cases with the same text at once, or undo such an act
    ///
    /// The text is compared as the review reads it, without disguises. Cases that somebody has claimed are left to them.
    /// Each post gets a decision of its own, all with one act id; cases that were opened after the question are not
    /// decided.
    Bulk(bulk::BulkArgs),
    /// End all cases of a post that is gone at the forum
    Withdraw(withdraw::WithdrawArgs),
    /// Erase the title, text and author of a post for good
    ///
    /// For what the law requires to be erased. That there was a post, and what was decided, stays; so do notes and the
    /// messages of decisions.
    Forget(forget::ForgetArgs),
    /// Open an appeal of an author against the rejection of their post
    Appeal(appeal::AppealArgs),
    /// Show how many cases were decided, and how long that took (read only)
    Measures(measures::MeasuresArgs),
    /// List the policies, the reasons that decisions name (needs no server)
    Policies(policies::PoliciesArgs),
    /// Open the cases that held posts lack
    ///
    /// Workers open a case for each post that they hold. Workers of versions before cases did not; `sluice migrate`
    /// does the same as this.
    Sweep(sweep::SweepArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: ReviewArgs) -> anyhow::Result<Exit> {
    match args.command {
        ReviewCommand::List(args) => list::run(args).await,
        ReviewCommand::Next(args) => next::run(args).await,
        ReviewCommand::Show(args) => show::run(args).await,
        ReviewCommand::Decide(args) => decide::run(args).await,
        ReviewCommand::Undo(args) => undo::run(args).await,
        ReviewCommand::Release(args) => give_back::run(args, Release::Released, None).await,
        ReviewCommand::Skip(args) => give_back::run(args, Release::Skipped, None).await,
        ReviewCommand::Escalate(args) => give_back::escalate(args).await,
        ReviewCommand::Note(args) => note::run(args).await,
        ReviewCommand::Bulk(args) => bulk::run(args).await,
        ReviewCommand::Withdraw(args) => withdraw::run(args).await,
        ReviewCommand::Forget(args) => forget::run(args).await,
        ReviewCommand::Appeal(args) => appeal::run(args).await,
        ReviewCommand::Measures(args) => measures::run(args).await,
        ReviewCommand::Policies(args) => policies::run(&args),
        ReviewCommand::Sweep(args) => sweep::run(args).await,
    }
}
