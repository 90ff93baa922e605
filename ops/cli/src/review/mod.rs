//! `sluice review`: people's review of held posts, at the command line.
//!
//! ```text
//!  case      list, show, measures, export, policies, sweep   cases as they are
//!  claim     next, release, skip, escalate, note        who holds one
//!  decision  decide, undo, bulk, appeal, withdraw, forget
//!  desk      what they share: the database, which case is meant, who acts, who was first
//! ```
//!
//! All of it asks MySQL alone. Who acts is whoever says so with `--as`: people who may run this are trusted.

pub(crate) mod case;
mod claim;
pub(crate) mod decision;
pub(crate) mod desk;

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
    List(case::list::ListArgs),
    /// Claim the next case and show it in full
    ///
    /// The worst is handed out first, then the oldest. The claim lasts 10 minutes; a case whose claim is over waits
    /// again by itself. Exits with 3 if no case is free.
    Next(claim::next::NextArgs),
    /// Show one case in full, with its decisions, notes and deliveries (read only)
    Show(case::show::ShowArgs),
    /// Decide a case: approve or reject its post
    ///
    /// The decision, its event for the forum and the end of the case are written together. A case that nobody has
    /// claimed can be decided without a claim. Exits with 3, and says who, when and what, if somebody else has claimed
    /// or decided it.
    Decide(decision::decide::DecideArgs),
    /// Undo a decision: what stood before stands again, as a new revision
    ///
    /// Only whoever decided, or a lead, may undo, and only the last decision on a post. The case is open again, and
    /// claimed by whoever undid.
    Undo(decision::undo::UndoArgs),
    /// Give a claimed case back, for the next one who asks
    Release(claim::give_back::GiveBackArgs),
    /// Give a claimed case back because you would rather not decide it
    ///
    /// A case that was handed out five times and is skipped once more goes to a lead.
    Skip(claim::give_back::GiveBackArgs),
    /// Leave a case to a lead
    Escalate(claim::give_back::EscalateArgs),
    /// Add a note for the team to a case
    Note(claim::note::NoteArgs),
    /// Decide all waiting cases with the same text at once, or undo such an act
    ///
    /// The text is compared as the review reads it, without disguises. Cases that somebody has claimed are left to them.
    /// Each post gets a decision of its own, all with one act id; cases that were opened after the question are not
    /// decided.
    Bulk(decision::bulk::BulkArgs),
    /// End all cases of a post that is gone at the forum
    Withdraw(decision::withdraw::WithdrawArgs),
    /// Erase the title, text and author of a post for good
    ///
    /// For what the law requires to be erased. That there was a post, and what was decided, stays; so do notes and the
    /// messages of decisions.
    Forget(decision::forget::ForgetArgs),
    /// Open an appeal of an author against the rejection of their post
    Appeal(decision::appeal::AppealArgs),
    /// Show how many cases were decided, and how long that took (read only)
    Measures(case::measures::MeasuresArgs),
    /// Print decided posts as texts for `sluice rules eval` and `compare` (read only)
    ///
    /// One JSON object per line: {"post", "title", "text", "expect": "flag" if the post was rejected, "clean" if it was
    /// approved, "kind": the category that held it}. The last decision on a post counts. Posts whose texts were erased, and those
    /// with an open blind second review, are left out.
    Export(case::export::ExportArgs),
    /// List the policies, the reasons that decisions name (needs no server)
    Policies(case::policies::PoliciesArgs),
    /// Open the cases that held posts lack
    ///
    /// Workers open a case for each post that they hold. Workers of versions before cases did not. `sluice migrate`
    /// does the same in tables of up to 200,000 posts.
    Sweep(case::sweep::SweepArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: ReviewArgs) -> anyhow::Result<Exit> {
    match args.command {
        ReviewCommand::List(args) => case::list::run(args).await,
        ReviewCommand::Next(args) => claim::next::run(args).await,
        ReviewCommand::Show(args) => case::show::run(args).await,
        ReviewCommand::Decide(args) => decision::decide::run(args).await,
        ReviewCommand::Undo(args) => decision::undo::run(args).await,
        ReviewCommand::Release(args) => claim::give_back::run(args, Release::Released, None).await,
        ReviewCommand::Skip(args) => claim::give_back::run(args, Release::Skipped, None).await,
        ReviewCommand::Escalate(args) => claim::give_back::escalate(args).await,
        ReviewCommand::Note(args) => claim::note::run(args).await,
        ReviewCommand::Bulk(args) => decision::bulk::run(args).await,
        ReviewCommand::Withdraw(args) => decision::withdraw::run(args).await,
        ReviewCommand::Forget(args) => decision::forget::run(args).await,
        ReviewCommand::Appeal(args) => decision::appeal::run(args).await,
        ReviewCommand::Measures(args) => case::measures::run(args).await,
        ReviewCommand::Export(args) => case::export::run(args).await,
        ReviewCommand::Policies(args) => case::policies::run(&args),
        ReviewCommand::Sweep(args) => case::sweep::run(args).await,
    }
}
