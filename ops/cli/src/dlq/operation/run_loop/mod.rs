//! An operation under way. It has the dead letters in flight for one round, and puts them back before it has to wait
//! for long: for workers that are paused, for MySQL, or for the outcome of a canary. Others can browse meanwhile.
//!
//! ```text
//!  ┌─► take the lock ─► batch ─► pace ─► replay or drop ─► … ─► put the others back ─┬─► the end
//!  └── at once; resumed; recorded; or few of the canary failed again ◄────────────────┘
//!      (round)                                                          (waiting)
//! ```

mod round;
mod waiting;

use std::collections::HashSet;

use sluice_runtime::exit::Exit;
use tokio_util::sync::CancellationToken;

use super::backpressure::Backpressure;
use super::batch::Chosen;
use super::rate_limit::RateLimit;
use super::replay::Replayer;
use crate::browse::DeadLetters;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::Ending;
use crate::dlq::report::reporter::Reporter;
use crate::dlq::report::wording::Wording;

/// What is done with a batch.
pub(crate) enum Executor {
    /// Publishes it to the work queue.
    Replayer(Replayer),
    /// Archives it and removes it from RabbitMQ.
    Dropper,
    /// Removes it from RabbitMQ and keeps nothing.
    Destroyer,
}

/// An operation under way.
pub(crate) struct RunLoop {
    dead: DeadLetters,
    executor: Executor,
    audit_log: AuditLog,
    chosen: Chosen,
    rate_limit: RateLimit,
    backpressure: Option<Backpressure>,
    /// How many of the canary are still to be replayed.
    canary: Option<u32>,
    /// Dead letters that an earlier round has left where they were.
    settled: HashSet<String>,
    /// How many of the dead letters that were there at the beginning are still there. They stand before all that have
    /// come since, which the operation does not touch.
    old: u32,
    /// Ends the wait for outcomes: by default, what stops the operation.
    ends: CancellationToken,
}

impl RunLoop {
    pub(crate) fn new(
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
            ends: dead.stop.clone(),
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

    /// The same, but the wait for outcomes ends by another signal: what was replayed has an outcome also where the rest
    /// was stopped.
    pub(crate) fn until(self, ends: CancellationToken) -> Self {
        Self { ends, ..self }
    }

    /// Does it, and reports it.
    pub(crate) async fn run(mut self, wording: Wording, audience: Audience) -> anyhow::Result<Exit> {
        let mut dead_letters = self.dead.open().await?;
        self.old = dead_letters.left();
        if matches!(self.executor, Executor::Replayer(_)) && dead_letters.left() > 0 {
            self.backpressure = Some(Backpressure::watch(&self.dead).await);
        }
        let mut report = Reporter::new(wording, audience.clone(), dead_letters.left(), self.rate_limit.rate());
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
        let exit = match &audience {
            Audience::Terminal { json } => self.wait(&ending, exit, *json).await,
            Audience::Page(progress) => {
                self.follow(progress).await;
                Ok(exit)
            }
        };
        self.audit_log.close().await;
        exit
    }
}
