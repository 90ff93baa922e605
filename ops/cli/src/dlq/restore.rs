//! `sluice dlq restore`: dropped letters back among the dead ones, as they were.
//!
//! ```text
//!  the record ──► piles ──► the turn, and a look at the queue ──► publish, confirmed ──► record: restored
//!                           what is there already is left at that      └─ a crash here: the next restore finds it there
//! ```
//!
//! All of it happens while the turn is ours, so nobody replays, drops or restores the same letters meanwhile. The letters
//! themselves are back in the queue after the look.

use std::collections::HashMap;

use clap::Args;
use sluice_core::config::{BrokerArgs, ConfigError, DatabaseArgs};
use sluice_mysql::{Dropped, LineId, OperationItem, Store};
use sluice_rabbit::delivery::{DeadLetterBrowser, Transcript};
use sluice_rabbit::publisher::{Envelope, Publisher};
use sluice_runtime::exit::Exit;
use sluice_runtime::failpoint;

use super::batch::BYTES;
use super::dropped;
use super::ledger::Ledger;
use super::outcome::{Ending, Report, exit, tell_json};
use super::pace::LETTERS;
use super::piles::{self, Digest, Pile, Piles};
use super::replay::PATIENCE;
use super::select::Filters;
use super::wording::RESTORE;
use crate::browse::{DeadLetters, Interrupted};
use crate::visible::line;
use sluice_runtime::output::tell;

/// Which letters.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The dropped letters with these ids, the same as --id; `sluice dlq dropped` lists them
    #[arg(value_name = "ID")]
    given: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Those that this act dropped; repeatable
    #[arg(long = "act", value_name = "ACT")]
    acts: Vec<String>,
    /// Every dropped letter there is
    #[arg(long, conflicts_with_all = ["given", "ids", "class", "code", "fingerprint", "since", "until", "contains", "acts"])]
    all: bool,
    /// List what would be brought back, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Taken, as by the other acts, and not needed: bringing back takes nothing away, so nobody is asked
    #[arg(long, short = 'y', hide = true)]
    yes: bool,
    /// One JSON object a line on stdout for each letter, when its fate is known: {"id", "outcome", "detail"}. The
    /// outcome is restored, present (it is among the dead letters) or failed (the detail says why: it was brought back
    /// before, was destroyed, or never dropped); with --dry-run would_restore
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Brings them back.
///
/// # Errors
/// When it was asked wrongly, or nothing could be begun. What happens later is told and shows in the exit code.
pub(super) async fn run(mut args: RestoreArgs) -> anyhow::Result<Exit> {
    args.filters.ids.append(&mut args.given);
    args.filters.check()?;
    if !args.all && args.acts.is_empty() && !args.filters.select() {
        let problem = "no dropped letters are selected: give ids, --act, filters, or --all for every one of them";
        return Err(ConfigError::new(RESTORE.command, problem).into());
    }
    let dead = DeadLetters::new(&args.broker, RESTORE.command)?;
    let store = Store::new(&args.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let found = piles::find(&store, &dead.prefix, &args.filters, &args.acts).await?;
    if args.dry_run {
        return dry_run(&found, args.json);
    }
    let Piles { chosen, missing, .. } = found;
    if chosen.is_empty() && missing.is_empty() {
        tell!("no dropped letter passes the filters; nothing was done");
        return Ok(Exit::Done);
    }
    let asked = serde_json::json!({ "filters": args.filters, "acts": args.acts, "all": args.all });
    let ledger = Ledger::new(store, RESTORE.kind, &dead.prefix, asked).await;
    let total = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let report = Report::new(RESTORE, args.json, total, None);
    let publisher = Publisher::new(&dead.broker, PATIENCE)?;
    let mut restore = Restore { dead, ledger, publisher, report, present: Present::default() };
    let ending = if chosen.is_empty() { Ending::Complete } else { restore.run(chosen).await? };
    for (id, reason) in missing {
        restore.report.tell_one(&id, "failed", &reason);
    }
    let exit = restore.report.finish(&ending, restore.ledger.act_id());
    restore.ledger.close().await;
    Ok(exit)
}

fn dry_run(found: &Piles, json: bool) -> anyhow::Result<Exit> {
    let Piles { chosen, missing, .. } = found;
    if json {
        chosen.iter().for_each(|pile| tell_json(&pile.summary.id, RESTORE.would, ""));
        missing.iter().for_each(|(id, reason)| tell_json(id, "failed", reason));
    } else {
        dropped::print(chosen, false)?;
        missing.iter().for_each(|(id, reason)| tell!("{}: {}", line(id), line(reason)));
    }
    let copies: usize = chosen.iter().map(Pile::copies).sum();
    tell!("{copies} would be {}; nothing was done", RESTORE.past);
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    Ok(exit(&Ending::Complete, count(chosen.len()), 0, count(missing.len())))
}

/// What is among the dead letters: how many of each kind that nothing tells apart, and of each id.
#[derive(Default)]
struct Present {
    digests: HashMap<Digest, usize>,
    ids: HashMap<String, usize>,
}

/// What becomes of a pile.
enum Plan {
    /// So many are published.
    Publish(Pile, Box<Transcript>, usize),
    /// They are there.
    There(Pile),
    /// It stays dropped.
    Not(String, String),
}

/// An restore under way.
struct Restore {
    dead: DeadLetters,
    ledger: Ledger,
    publisher: Publisher,
    report: Report,
    present: Present,
}

impl Restore {
    async fn run(&mut self, chosen: Vec<Pile>) -> anyhow::Result<Ending> {
        let mut letters = self.dead.open().await?;
        let looked = self.look(&mut letters).await;
        // Nobody has letters in hand for as long as all of it takes: the turn is enough.
        let turn = letters.put_back_and_keep_the_turn().await?;
        let ending = match looked {
            Ok(()) => self.work(chosen).await,
            Err(error) => Ending::Stopped(format!("{error:#}")),
        };
        turn.end().await;
        Ok(ending)
    }

    async fn look(&mut self, letters: &mut DeadLetterBrowser) -> anyhow::Result<()> {
        while let Some(letter) = letters.next().await? {
            if self.dead.stop.is_cancelled() {
                return Err(Interrupted.into());
            }
            *self.present.digests.entry(letter.transcript().digest()).or_default() += 1;
            *self.present.ids.entry(letter.summary.id).or_default() += 1;
        }
        Ok(())
    }

    async fn work(&mut self, chosen: Vec<Pile>) -> Ending {
        for piles in piles::portions(&chosen, LETTERS, BYTES) {
            if self.dead.stop.is_cancelled() {
                return Ending::Interrupted;
            }
            if let Err(reason) = self.batch(piles).await {
                return Ending::Stopped(reason);
            }
        }
        Ending::Complete
    }

    async fn batch(&mut self, piles: &[Pile]) -> Result<(), String> {
        let lines: Vec<LineId> = piles.iter().filter_map(|pile| pile.lines.first().cloned()).collect();
        let read = self.ledger.store().dropped_letters(&lines).await;
        let read = read.map_err(|failure| self.ledger.store().blame(failure).to_string())?;
        let mut read: HashMap<LineId, Dropped> = read.into_iter().map(|letter| (letter.line.clone(), letter)).collect();
        let plans: Vec<Plan> =
            piles.iter().map(|pile| self.plan(pile, pile.lines.first().and_then(|line| read.remove(line)))).collect();
        let begun = self.ledger.begin().await;
        begun.map_err(|error| format!("the act could not be recorded, so it was not done: {error}"))?;
        let envelopes = self.envelopes(&plans)?;
        let mut answers = self.publisher.publish_batch(&envelopes).await.into_iter();
        failpoint::reach(failpoint::RESTORE_CONFIRMED);
        let mut outcomes = Vec::new();
        let mut stop = None;
        for plan in plans {
            match plan {
                Plan::Not(id, reason) => self.report.tell_one(&id, "failed", &reason),
                Plan::There(pile) => outcomes.push(self.there(pile)),
                Plan::Publish(pile, _, copies) => {
                    let failed = answers.by_ref().take(copies).filter_map(Result::err).last();
                    let told = failed.as_ref().map(ToString::to_string);
                    outcomes.extend(self.published(&pile, copies, told.as_deref()));
                    stop = stop.or(told.filter(|_| !failed.is_some_and(|error| error.is_the_messages_own())));
                }
            }
        }
        self.close_books(&outcomes).await?;
        stop.map_or(Ok(()), Err)
    }

    fn plan(&self, pile: &Pile, letter: Option<Dropped>) -> Plan {
        let not = |reason: &str| Plan::Not(pile.summary.id.clone(), reason.to_owned());
        let Some(letter) = letter else { return not("somebody else has just brought it back") };
        if pile.older && self.present.ids.contains_key(&pile.summary.id) {
            return not(
                "a letter of this id is among the dead ones, and the record of an older version does not tell \
                        whether it is the same",
            );
        }
        let there = self.present.digests.get(&pile.digest).copied().unwrap_or(0);
        match (piles::transcript(&letter), pile.copies().saturating_sub(there)) {
            (Err(problem), _) => not(&problem),
            (Ok(_), 0) => Plan::There(pile.clone()),
            (Ok(transcript), copies) => Plan::Publish(pile.clone(), Box::new(transcript), copies),
        }
    }

    fn envelopes(&self, plans: &[Plan]) -> Result<Vec<Envelope>, String> {
        let mut envelopes = Vec::new();
        for plan in plans {
            if let Plan::Publish(_, transcript, copies) = plan {
                let envelope = transcript.letter(&self.dead.topology).map_err(|error| error.to_string())?;
                envelopes.extend(std::iter::repeat_n(envelope, *copies));
            }
        }
        Ok(envelopes)
    }

    fn there(&mut self, pile: Pile) -> OperationItem {
        let entry = self.ledger.about(&pile.summary, "present", THERE.to_owned());
        OperationItem { undoes: pile.lines, ..entry }
    }

    /// One line for each letter; the first undoes all lines of the pile. Where the broker did not take all of them, none
    /// is undone: the next restore finds those it took among the dead letters.
    fn published(&mut self, pile: &Pile, copies: usize, failed: Option<&str>) -> Vec<OperationItem> {
        let letter = &pile.summary;
        match failed {
            Some(error) => vec![self.ledger.about(letter, "failed", format!("{error}; it stays in the record"))],
            None => (0..copies)
                .map(|copy| {
                    let undoes = if copy == 0 { pile.lines.clone() } else { Vec::new() };
                    OperationItem { undoes, ..self.ledger.about(letter, RESTORE.past, String::new()) }
                })
                .collect(),
        }
    }

    async fn close_books(&mut self, outcomes: &[OperationItem]) -> Result<(), String> {
        let recorded = self.ledger.record(outcomes).await;
        let (there, done): (Vec<_>, Vec<_>) =
            outcomes.iter().cloned().partition(|outcome| outcome.outcome == "present");
        there.iter().for_each(|outcome| self.report.tell_one(&outcome.letter, "present", &outcome.detail));
        self.report.tell(&done);
        recorded.map_err(|error| {
            format!(
                "{} letters are back and the record does not say so; restore them again to mend it: {error}",
                done.len()
            )
        })
    }
}

/// Said of a letter whose drop, or whose restore, was cut short.
const THERE: &str = "it is among the dead letters: a drop or an restore was cut short";
