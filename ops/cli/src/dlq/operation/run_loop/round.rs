//! A round: batch after batch, with the dead letters in flight.
//!
//! It does not last for long: RabbitMQ takes back what somebody has in flight for longer than its `consumer_timeout`.

use std::collections::HashSet;
use std::time::Duration;

use sluice_mysql::OperationItem;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterBrowser};
use tokio::time::Instant;

use super::{Executor, RunLoop};
use crate::dlq::operation::backpressure::Signal;
use crate::dlq::operation::batch::gather;
use crate::dlq::operation::dropper;
use crate::dlq::operation::rate_limit::RateLimit;
use crate::dlq::report::outcome::{Batch, Done, Ending};
use crate::dlq::report::reporter::Reporter;

/// How long a round lasts, or three times as long as it took to find its dead letters among the others.
/// RabbitMQ supports no `consumer_timeout` below a minute.
const ROUND: Duration = Duration::from_secs(10);

/// How a round ended.
pub(super) enum Round {
    Over(Ending),
    /// Nothing can be replayed for now, and why.
    Held(String),
    /// What was done has to be recorded before anything else is done, and why it is not yet.
    Unrecorded(Vec<OperationItem>, String),
    /// The canary was replayed.
    Canary,
    /// Its time was over; there is more to do.
    Long,
}

impl RunLoop {
    /// Batch after batch. What is in flight when it ends is put back by the caller.
    pub(super) async fn round(&mut self, dead_letters: &mut DeadLetterBrowser, report: &mut Reporter) -> Round {
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
            // What this very replay published has failed again: it is not replayed twice.
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

    /// How many dead letters the next batch may have: by the rate, the workers' pace and the rest of the canary.
    async fn size(&mut self, report: &Reporter) -> Result<usize, Round> {
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
}
