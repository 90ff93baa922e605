//! An act: letters replayed or dropped. What both have in common, from the command line to the exit code.
//!
//! ```text
//!  flags ──► selection ──► (preview ──► consent) ──► batch ──► replay or drop ──► report ──► exit code
//!            empty: 2       looked at, all put back    ▲            │
//!                                                      └────────────┘ until the end, an error or Ctrl-C
//! ```
//!
//! An act that cannot be recorded is not done, so MySQL is asked first.

use clap::Args;
use common::config::{BrokerArgs, ConfigError, DatabaseArgs};
use common::delivery::{Letter, Letters};
use common::exit::Exit;
use common::publisher::Publisher;
use common::store::{ActKind, Store};

use super::batch::{Chosen, gather};
use super::consent::{self, Preview};
use super::ledger::Ledger;
use super::look::DeadLetters;
use super::outcome::{Batch, Ending, Report};
use super::pace::Pace;
use super::select::{Filters, Selection};
use super::{drop, replay};

/// Which letters, and how to go about it.
#[derive(Debug, Args)]
pub(super) struct ActArgs {
    /// The dead letters with these ids, the same as --id; with filters, those of them that pass
    #[arg(value_name = "ID")]
    given: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Every dead letter there is
    #[arg(long, conflicts_with_all = ["given", "ids", "class", "code", "fingerprint", "since", "until", "contains"])]
    all: bool,
    /// List what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask; needed where there is no terminal to ask on
    #[arg(long, short = 'y')]
    yes: bool,
    /// No more than so many a second; as fast as it goes without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// One JSON object a line on stdout for each letter, when its fate is known: {"id", "outcome", "detail"}. The
    /// outcome is replayed, dropped, failed or unknown (no letter has that id); with --dry-run would_replay or
    /// would_drop
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Does it.
///
/// # Errors
/// When it was asked wrongly, or nothing could be begun. What happens later is told and shows in the exit code.
pub(super) async fn run(mut args: ActArgs, kind: ActKind) -> anyhow::Result<Exit> {
    args.filters.ids.append(&mut args.given);
    args.filters.check()?;
    if !args.all && !args.filters.select() {
        let problem = "no dead letters are selected: give ids, filters, or --all for every one of them";
        return Err(ConfigError::new(command(kind), problem).into());
    }
    let ask = !args.yes && !args.dry_run;
    if ask && !consent::can_ask() {
        let problem = "there is no terminal to ask on: say --yes to do it, or --dry-run to see what would be done";
        return Err(ConfigError::new(command(kind), problem).into());
    }
    let dead = DeadLetters::new(&args.broker, command(kind))?;
    let selection = Selection::new(args.filters.clone());
    if args.dry_run {
        let preview = Preview::take(&dead, selection).await?;
        return consent::dry_run(&preview, kind, args.json);
    }
    let store = Store::new(&args.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let chosen = if ask {
        let preview = Preview::take(&dead, selection).await?;
        if !preview.letters.is_empty() && !consent::ask(&preview, kind, &dead).await? {
            eprintln!("nothing was done");
            return Ok(Exit::Failed);
        }
        Chosen::shown(preview)
    } else {
        Chosen::matching(selection)
    };
    let asked = serde_json::json!({ "filters": args.filters, "all": args.all, "rate": args.rate });
    let ledger = Ledger::new(store, kind, args.broker.prefix.as_str(), asked).await;
    let deed = Deed::new(kind, &dead)?;
    Act { dead, deed, ledger, chosen, pace: Pace::new(args.rate) }.run(kind, args.json).await
}

/// What it is called, for messages.
fn command(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Replay => "dlq replay",
        ActKind::Drop => "dlq drop",
    }
}

/// What is done with a batch.
enum Deed {
    Replay(Publisher),
    Drop,
}

impl Deed {
    fn new(kind: ActKind, dead: &DeadLetters) -> anyhow::Result<Self> {
        match kind {
            ActKind::Replay => Ok(Self::Replay(Publisher::new(&dead.broker, replay::PATIENCE)?)),
            ActKind::Drop => Ok(Self::Drop),
        }
    }

    async fn of(&self, letters: Vec<Letter>, dead: &DeadLetters, ledger: &mut Ledger) -> Batch {
        match self {
            Self::Replay(publisher) => replay::batch(letters, &dead.topology, publisher, ledger).await,
            Self::Drop => drop::batch(letters, ledger).await,
        }
    }
}

/// An act under way.
struct Act {
    dead: DeadLetters,
    deed: Deed,
    ledger: Ledger,
    chosen: Chosen,
    pace: Pace,
}

impl Act {
    async fn run(mut self, kind: ActKind, json: bool) -> anyhow::Result<Exit> {
        let mut letters = self.dead.open().await?;
        let mut report = Report::new(kind, json, letters.left());
        let ending = self.work(&mut letters, &mut report).await;
        if let Err(error) = letters.put_back().await {
            report.note(&format!("RabbitMQ was not told to put the others back, so it does by itself: {error}"));
        }
        if matches!(ending, Ending::Complete) {
            report.unknown(&self.chosen.unknown());
        }
        let exit = report.finish(&ending, self.ledger.act_id());
        self.ledger.close().await;
        Ok(exit)
    }

    /// Batch after batch. What is in hand when it ends is put back by the caller.
    async fn work(&mut self, letters: &mut Letters, report: &mut Report) -> Ending {
        loop {
            let batch = match gather(letters, &mut self.chosen, self.pace.batch(), &self.dead.stop, report).await {
                Ok(batch) => batch,
                Err(ending) => return ending,
            };
            if batch.is_empty() {
                return Ending::Complete;
            }
            tokio::select! {
                () = self.pace.wait() => {}
                () = self.dead.stop.cancelled() => return Ending::Interrupted,
            }
            self.pace.count(batch.len());
            let Batch { outcomes, stop } = self.deed.of(batch, &self.dead, &mut self.ledger).await;
            report.tell(&outcomes);
            if let Some(reason) = stop {
                return Ending::Stopped(reason);
            }
        }
    }
}
