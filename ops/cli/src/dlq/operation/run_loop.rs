//! An operation under way. It has the dead letters in flight for one round, and puts them back before it has to wait
//! for long: for workers that are paused, for MySQL, or to see what became of a canary. Nor does a round itself last
//! for long: RabbitMQ takes back what somebody has in flight for longer than its `consumer_timeout`. Others can look
//! meanwhile.
//!
//! ```text
//!  ┌─► take the lock ─► batch ─► pace ─► replay or drop ─► … ─► put the others back ─┬─► the end
//!  └── at once; resumed; recorded; or few of the canary failed again ◄────────────────┘
//! ```

use std::collections::HashSet;
use std::time::Duration;

use indicatif::ProgressBar;
use sluice_core::post::PostId;
use sluice_mysql::OperationItem;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterBrowser};
use sluice_runtime::exit::Exit;
use tokio::time::Instant;

use super::backpressure::{Backpressure, Signal};
use super::batch::{Chosen, gather};
use super::dropper;
use super::rate_limit::RateLimit;
use super::replay::{self, Replayer};
use crate::browse::DeadLetters;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::{Batch, Done, Ending, Report};
use crate::dlq::report::wording::Wording;
use crate::hint;
use crate::replays::watch::Watch;
use sluice_runtime::output::{self, report};

/// How often MySQL is asked whether it is back.
const ASK: Duration = Duration::from_secs(1);
/// How long a round lasts, or three times as long as it took to find its dead letters among the others.
/// RabbitMQ supports no `consumer_timeout` below a minute.
const ROUND: Duration = Duration::from_secs(10);
/// The wait between two rounds, so that whoever waits for the lock gets it.
const GIVE_WAY: Duration = Duration::from_millis(500);

/// What does it with a batch.
pub(in crate::dlq) enum Executor {
    /// Back to work.
    Replayer(Replayer),
    /// Out of RabbitMQ, into the audit log.
    Dropper,
    /// Out of RabbitMQ, and nothing is kept.
    Destroyer,
}

/// How a round ended.
enum Round {
    Over(Ending),
    /// Nothing is to be replayed for now, and why.
    Held(String),
    /// What was done is to be recorded before anything else is, and why it is not yet.
    Unrecorded(Vec<OperationItem>, String),
    /// The canary is on its way.
    Canary,
    /// It has lasted long enough; there is more to do.
    Long,
}

/// An operation under way.
pub(in crate::dlq) struct RunLoop {
    dead: DeadLetters,
    executor: Executor,
    audit_log: AuditLog,
    chosen: Chosen,
    rate_limit: RateLimit,
    backpressure: Option<Backpressure>,
    /// How many of the canary are still to be replayed.
    canary: Option<u32>,
    /// Dead letters that an earlier round has seen and left.
    settled: HashSet<String>,
    /// How many of the dead letters that were there at the beginning are there still. They stand before all that have
    /// come since, which the operation is not for.
    old: u32,
}

impl RunLoop {
    /// Not begun.
    pub(in crate::dlq) fn new(
        dead: DeadLetters,
        executor: Executor,
        audit_log: AuditLog,
        chosen: Chosen,
        rate_limit: RateLimit,
    ) -> Self {
        let canary = match &executor {
            Executor::Replayer(replayer) => replayer.options.canary,
            Executor::Dropper | Executor::Destroyer => None,
        };
        Self {
            dead,
            executor,
            audit_log,
            chosen,
            rate_limit,
            backpressure: None,
            canary,
            settled: HashSet::new(),
            old: 0,
        }
    }

    /// Does it, and tells.
    ///
    /// # Errors
    /// When nothing could be begun.
    pub(in crate::dlq) async fn run(mut self, wording: Wording, json: bool) -> anyhow::Result<Exit> {
        let mut dead_letters = self.dead.open().await?;
        self.old = dead_letters.left();
        if matches!(self.executor, Executor::Replayer(_)) && dead_letters.left() > 0 {
            self.backpressure = Some(Backpressure::watch(&self.dead).await);
        }
        let mut report = Report::new(wording, json, dead_letters.left(), self.rate_limit.rate());
        let ending = loop {
            let round = self.round(&mut dead_letters, &mut report).await;
            if let Err(error) = dead_letters.put_back().await {
                report.note(&format!("the others could not be returned, so RabbitMQ returns them by itself: {error}"));
            }
            if let Some(ending) = self.between(round, &report).await {
                break ending;
            }
            dead_letters = match self.dead.open().await {
                Ok(dead_letters) => dead_letters,
                Err(_) if self.dead.stop.is_cancelled() => break Ending::Interrupted,
                Err(error) => break Ending::Stopped(format!("{error:#}")),
            };
            report.again(dead_letters.left());
        };
        if matches!(ending, Ending::Complete) {
            report.unknown(&self.chosen.unknown());
        }
        let exit = report.finish(&ending, self.audit_log.operation_id());
        let exit = self.wait(&ending, exit, json).await;
        self.audit_log.close().await;
        exit
    }

    /// Batch after batch. What is in flight when it ends is put back by the caller.
    async fn round(&mut self, dead_letters: &mut DeadLetterBrowser, report: &mut Report) -> Round {
        let mut left = HashSet::new();
        let (begun, mut searched, mut acted, mut old) = (Instant::now(), Duration::ZERO, false, self.old);
        let round = loop {
            if acted && begun.elapsed() > ROUND.max(searched * 3) {
                break Round::Long;
            }
            let size = match self.size(report).await {
                Ok(size) => size,
                Err(held) => break held,
            };
            let (own, settled) = (self.audit_log.id(), &self.settled);
            // What this very replay put back has died again: not now.
            let skip = |dead_letter: &DeadLetter| {
                settled.contains(&dead_letter.summary.id)
                    || dead_letter.replayed_by().is_some_and(|replay| replay == own)
            };
            let search = Instant::now();
            let found = gather(dead_letters, &mut self.chosen, size, &mut old, skip, &self.dead.stop, report).await;
            searched += search.elapsed();
            let batch = match found {
                Ok(batch) if batch.is_empty() && dead_letters.is_cut_short() => break Round::Long,
                Ok(batch) if batch.is_empty() && self.canary.is_some() => break Round::Canary,
                Ok(batch) if batch.is_empty() => break Round::Over(Ending::Complete),
                Ok(batch) => batch,
                Err(ending) => break Round::Over(ending),
            };
            if let Err(error) = dead_letters.pause().await {
                break Round::Over(Ending::Stopped(error.to_string()));
            }
            tokio::select! {
                () = self.rate_limit.wait() => {}
                () = self.dead.stop.cancelled() => break Round::Over(Ending::Interrupted),
            }
            self.rate_limit.count(batch.len());
            let (Batch { outcomes, stop }, unrecorded) = match self.act_on(batch).await {
                Done::Acted(batch) => (batch, None),
                Done::Unrecorded(batch, why) => (batch, Some(why)),
                Done::NotNow(dead_letters, why) => {
                    self.chosen.untake(&dead_letters);
                    break Round::Held(why);
                }
            };
            acted = true;
            report.report(&outcomes);
            let stays = |done: &&OperationItem| matches!(done.outcome, "left" | "failed");
            left.extend(outcomes.iter().filter(stays).map(|done| done.dead_letter.clone()));
            let gone = outcomes.len() - outcomes.iter().filter(stays).count();
            self.old = self.old.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            if let Some(why) = unrecorded {
                self.canary_is_out(&outcomes);
                break Round::Unrecorded(outcomes, why);
            }
            if let Some(reason) = stop {
                break Round::Over(Ending::Stopped(reason));
            }
            if self.canary_is_out(&outcomes) {
                break Round::Canary;
            }
        };
        self.settled.extend(left);
        round
    }

    /// How many dead letters the next batch may have: by the rate, the workers' pace and what is missing of the canary.
    async fn size(&mut self, report: &Report) -> Result<usize, Round> {
        let mut size = self.rate_limit.batch();
        if let Some(backpressure) = &mut self.backpressure {
            match backpressure.signal(|text| report.note(text)).await {
                Signal::Free => {}
                Signal::Slow => size = size.min(RateLimit::SLOW),
                Signal::Hold(why) => return Err(Round::Held(format!("all workers are paused ({why})"))),
            }
        }
        let missing = self.canary.and_then(|canary| usize::try_from(canary).ok());
        Ok(missing.map_or(size, |missing| size.min(missing)))
    }

    /// Whether these were the last of the canary.
    fn canary_is_out(&mut self, outcomes: &[OperationItem]) -> bool {
        let Some(canary) = &mut self.canary else { return false };
        let replayed = outcomes.iter().filter(|done| done.outcome == "replayed").count();
        *canary = canary.saturating_sub(u32::try_from(replayed).unwrap_or(u32::MAX));
        *canary == 0
    }

    async fn act_on(&mut self, batch: Vec<DeadLetter>) -> Done {
        match &self.executor {
            Executor::Replayer(replayer) => replayer.batch(batch, &self.dead, &mut self.audit_log).await,
            Executor::Dropper => Done::Acted(dropper::batch(batch, &mut self.audit_log).await),
            Executor::Destroyer => Done::Acted(dropper::destroy(batch, &mut self.audit_log).await),
        }
    }

    /// Whatever has to be waited for with no dead letter in flight. `None`: on to the next round.
    async fn between(&mut self, round: Round, report: &Report) -> Option<Ending> {
        match round {
            Round::Over(ending) => Some(ending),
            Round::Long => {
                tokio::select! {
                    () = tokio::time::sleep(GIVE_WAY) => None,
                    () = self.dead.stop.cancelled() => Some(Ending::Interrupted),
                }
            }
            Round::Unrecorded(outcomes, why) => self.record(&outcomes, &why, report).await,
            Round::Held(why) => {
                report.note(&format!("waiting, with the others returned: {why}"));
                let stop = self.dead.stop.clone();
                tokio::select! {
                    () = self.resumed() => {
                        report.note("continuing");
                        None
                    }
                    () = stop.cancelled() => Some(Ending::Interrupted),
                }
            }
            Round::Canary => {
                self.canary = None;
                self.judge(report).await
            }
        }
    }

    /// Records what is done and cannot be undone: for as long as MySQL is down, until Ctrl-C.
    async fn record(&mut self, outcomes: &[OperationItem], why: &str, report: &Report) -> Option<Ending> {
        let count = outcomes.len();
        report.note(&format!("waiting, with the others returned; {count} dead letters are not recorded yet: {why}"));
        loop {
            match self.audit_log.record(outcomes).await {
                Ok(()) => {
                    report.note("continuing");
                    return None;
                }
                Err(error) if !replay::is_down(&error) || self.dead.stop.is_cancelled() => {
                    return Some(Ending::Stopped(replay::unrecorded(outcomes, &error.to_string())));
                }
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(ASK) => {}
                () = self.dead.stop.cancelled() => {}
            }
        }
    }

    /// Comes back when dead letters can be recorded and some worker takes posts.
    async fn resumed(&mut self) {
        while self.audit_log.stored(&[PostId::new()]).await.is_err() {
            tokio::time::sleep(ASK).await;
        }
        if let Some(backpressure) = &mut self.backpressure {
            backpressure.resumed().await;
        }
    }

    /// Waits until it is known what became of the canary. `None` if few enough of it failed again.
    async fn judge(&self, report: &Report) -> Option<Ending> {
        let Executor::Replayer(Replayer { options, .. }) = &self.executor else { return None };
        let id = self.audit_log.operation_id()?;
        let mut watch = match Watch::begin(self.audit_log.store(), &self.dead, id).await {
            Ok(watch) => watch,
            Err(error) => return Some(Ending::Stopped(format!("{error:#}"))),
        };
        let sent = watch.sent();
        if sent == 0 {
            return None;
        }
        report.note(&format!("{sent} replayed as a canary; waiting for their outcome"));
        if !watch.until_known(|_| {}, |text| report.note(text)).await {
            return Some(Ending::Interrupted);
        }
        let failed = watch.known.failed_again();
        if f64::from(failed) * 100.0 <= options.abort_over * f64::from(sent) {
            report.note(&format!("{failed} of the {sent} failed again: continuing"));
            return None;
        }
        Some(Ending::Stopped(format!(
            "{failed} of the canary's {sent} dead letters failed again, more than {} %: {}; fix that, then run the \
             same command again to continue (`{}` shows each)",
            options.abort_over,
            watch.failed_of(),
            self.shows(id)
        )))
    }

    /// With `--wait`: stays until it is known what became of each dead letter.
    async fn wait(&self, ending: &Ending, exit: Exit, json: bool) -> anyhow::Result<Exit> {
        let (Executor::Replayer(Replayer { options, .. }), Some(id)) = (&self.executor, self.audit_log.operation_id())
        else {
            return Ok(exit);
        };
        if !options.wait || matches!(ending, Ending::Interrupted) {
            return Ok(exit);
        }
        let mut watch = Watch::begin(self.audit_log.store(), &self.dead, id).await?;
        let bar = waiting_bar(watch.waiting());
        let told = |watch: &Watch<'_>| {
            bar.set_position(watch.known.total().into());
            bar.set_message(watch.known.to_string());
        };
        let all = watch.until_known(told, |text| bar.suspend(|| report!("{text}"))).await;
        bar.finish_and_clear();
        if !all {
            report!("known so far: {}; {} still waiting", watch.known, watch.waiting());
            report!("`{}` shows their outcome", self.shows(id));
            return Ok(if self.dead.stop.is_cancelled() { Exit::Interrupted } else { Exit::Failed });
        }
        if json {
            report!("{}", watch.known);
        } else {
            // A reader that has gone away changes nothing.
            let _ = output::print(|out| writeln!(out, "{}", watch.known));
        }
        if watch.known.failed_again() == 0 {
            return Ok(exit);
        }
        report!("failed again: {}; `{}` shows each", watch.failed_of(), self.shows(id));
        Ok(Exit::Partial)
    }

    fn shows(&self, replay: &str) -> String {
        hint::command("replays show", &self.dead.prefix, replay)
    }
}

/// Shown on a terminal only.
fn waiting_bar(dead_letters: usize) -> ProgressBar {
    crate::progress::bar(dead_letters as u64, "{bar:30} outcome of {pos}/{len} known: {msg} [{elapsed}]")
}
