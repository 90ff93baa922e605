//! `sluice verify`: every accepted id accounted for.
//!
//! A post is in one place: in the queue, in flight, in MySQL, among the dead letters, dropped by a recorded operation,
//! or deleted by `sluice prune`, which notes ids. All but the queue and what is in flight can be searched for an id:
//! reading a post in the queue brings it nearer to its delivery limit. So the ids found nowhere else are compared with the number of posts waiting there: that many are
//! *queued*, by count; the rest is *missing*.
//!
//! Posts move during the check, but always to a place that is queried later or again:
//!
//! ```text
//!  1 the queue's depth    2 rows in MySQL    3 a look at the dead letters (and   4 operations in MySQL
//!                                              what the rows say that have some)
//!  └── ids still nowhere, and more of them than waited at 1? A worker may have them in flight: again, until they settle
//! ```
//!
//! Of those that are recorded, each held one has its case, and each decision its event for the forum.

mod places;
mod receipts;
mod reconciliation;
mod report;
mod tally;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sluice_core::config::{ConfigError, ServerArgs, duration};
use sluice_runtime::exit::Exit;
use tokio::time::Instant;

use places::{Gaps, Places};
use reconciliation::Reconciliation;
use report::Report;
use tally::Tally;

use crate::visible::cut;

/// The waits between rounds: short at first, since most posts in flight are there for milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Arguments of `sluice verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// File with the accepted ids, one per line; `-` reads stdin
    ///
    /// `sluice-producer publish --receipts` writes such a file.
    #[arg(long, value_name = "FILE")]
    receipts: PathBuf,
    /// Wait until nothing is queued, but no longer than this
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    wait: Duration,
    /// Report an id as missing only if it is still not found after this time
    ///
    /// Posts in flight cannot be seen, so ids are looked up repeatedly for this long.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    settle: Duration,
    /// Name all ids, not only the first 100 of each kind
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    ///
    /// Keys: accepted, repeated_receipts, recorded, queued, queued_by, dead, dropped, pruned, missing, duplicate, claimed,
    /// id_conflict, held_without_case, decisions_not_in_outbox, missing_ids, duplicate_ids, claimed_ids, id_conflict_ids
    /// and held_without_case_ids (the first 100 of each, without --all). held_without_case counts recorded posts that
    /// are held and have no case, decisions_not_in_outbox decisions that the forum would never be told of. Claimed ids
    /// are found only in dead letters that neither a worker nor RabbitMQ dead-lettered, or that have two ids; they are
    /// also counted as missing or queued. If some ids are missing and some are queued, missing_ids is taken from both,
    /// because they cannot be told apart. Ids in id_conflict are recorded, and another post with the same id is among
    /// the dead letters.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Accounts for them: exit 0 only if none is missing, none is in two places, and people's review lacks nothing.
///
/// # Errors
/// When the receipts cannot be read, or a place cannot be queried: then nothing is reported as missing.
pub async fn run(args: VerifyArgs) -> anyhow::Result<Exit> {
    let receipts = receipts::read(&args.receipts)?;
    if receipts.ids.is_empty() {
        let file = cut(&args.receipts.display().to_string(), 200);
        let problem = format!("{file} contains no ids, so there is nothing to account for");
        return Err(ConfigError::new("--receipts", problem).into());
    }
    let mut reconciliation = Reconciliation::new(receipts.ids);
    let places = Places::new(&args.servers.broker, &args.servers.database)?;
    let accounted = async {
        let tally = settle(&mut reconciliation, &places, args.wait, args.settle).await?;
        anyhow::Ok((tally, settle_cases(&reconciliation, &places, args.settle).await?))
    };
    let accounted = accounted.await;
    places.close().await;
    let (tally, gaps) = accounted?;
    let named = if args.all { usize::MAX } else { report::NAMED };
    let report = Report::new(&reconciliation, tally, &gaps, receipts.repeated, named);
    report.print(args.json)?;
    Ok(if report.is_whole() { Exit::Done } else { Exit::Failed })
}

/// Looks at the cases of held posts and at the events of decisions. A worker opens a case a moment after the row, so
/// what is missing is looked for again, at least once.
async fn settle_cases(reconciliation: &Reconciliation, places: &Places, settle: Duration) -> anyhow::Result<Gaps> {
    let mut gaps = places.gaps(&reconciliation.recorded_ids()).await?;
    let until = Instant::now() + settle;
    let mut pause = FIRST_PAUSE;
    while !gaps.is_empty() {
        let last = Instant::now() >= until;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = places.stopped() => anyhow::bail!("interrupted; {} held posts had no case yet", gaps.held.len()),
        }
        gaps = places.gaps(&gaps.among).await?;
        if last {
            break;
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
    Ok(gaps)
}

/// Round after round, until all are found or the time is over.
async fn settle(
    reconciliation: &mut Reconciliation,
    places: &Places,
    wait: Duration,
    settle: Duration,
) -> anyhow::Result<Tally> {
    let wait_until = Instant::now() + wait;
    let mut settle_until = Instant::now() + settle;
    let mut pause = FIRST_PAUSE;
    loop {
        let tally = places.round(reconciliation).await?;
        let now = Instant::now();
        let waiting = now < wait_until && tally.unsettled() > 0 && (tally.queued > 0 || tally.consumers > 0);
        if waiting {
            // Posts still move, so those in flight get some time after this.
            settle_until = now + settle;
        }
        if !waiting && (tally.missing == 0 || now >= settle_until) {
            return Ok(tally);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = places.stopped() => anyhow::bail!("interrupted; {} ids were not found yet", tally.unsettled()),
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
