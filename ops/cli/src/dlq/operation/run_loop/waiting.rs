//! What an operation waits for between two rounds, and with `--wait` at its end, with no dead letter in flight.

use std::time::Duration;

use indicatif::ProgressBar;
use sluice_core::post::PostId;
use sluice_mysql::OperationItem;
use sluice_runtime::exit::Exit;

use super::round::Round;
use super::{Executor, RunLoop};
use crate::dlq::operation::replay::{self, Replayer};
use crate::dlq::report::outcome::Ending;
use crate::dlq::report::progress::Progress;
use crate::dlq::report::reporter::Reporter;
use crate::hint;
use crate::replays::watch::Watch;
use sluice_runtime::output::{self, report};

/// How often MySQL is asked again while it is down.
const ASK: Duration = Duration::from_secs(1);
/// The pause between two rounds, so that another browser that waits for the lock gets it.
const GIVE_WAY: Duration = Duration::from_millis(500);

impl RunLoop {
    /// Waits for what the end of a round requires. `None`: on to the next round.
    pub(super) async fn between(&mut self, round: Round, report: &Reporter) -> Option<Ending> {
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

    /// Records what was done, retrying while MySQL is down, until Ctrl-C.
    async fn record(&mut self, outcomes: &[OperationItem], why: &str, report: &Reporter) -> Option<Ending> {
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

    /// Returns when dead letters can be recorded and some worker is not paused.
    async fn resumed(&mut self) {
        while self.audit_log.stored(&[PostId::new()]).await.is_err() {
            tokio::time::sleep(ASK).await;
        }
        if let Some(backpressure) = &mut self.backpressure {
            backpressure.resumed().await;
        }
    }

    /// Waits for the outcome of the canary. `None` if few enough of it failed again.
    async fn judge(&self, report: &Reporter) -> Option<Ending> {
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

    /// With `--wait`: waits until the outcome of each dead letter is known.
    pub(super) async fn wait(&self, ending: &Ending, exit: Exit, json: bool) -> anyhow::Result<Exit> {
        let (Executor::Replayer(Replayer { options, .. }), Some(id)) = (&self.executor, self.audit_log.operation_id())
        else {
            return Ok(exit);
        };
        if !options.wait || matches!(ending, Ending::Interrupted) {
            return Ok(exit);
        }
        let mut watch = Watch::begin(self.audit_log.store(), &self.dead, id).await?;
        let bar = waiting_bar(watch.waiting());
        let show = |watch: &Watch<'_>| {
            bar.set_position(watch.known.total().into());
            bar.set_message(watch.known.to_string());
        };
        let all = watch.until_known(show, |text| bar.suspend(|| report!("{text}"))).await;
        bar.finish_and_clear();
        if !all {
            report!("known so far: {}; {} still waiting", watch.known, watch.waiting());
            report!("`{}` shows their outcome", self.shows(id));
            return Ok(if self.dead.stop.is_cancelled() { Exit::Interrupted } else { Exit::Failed });
        }
        if json {
            report!("{}", watch.known);
        } else {
            // If nobody reads stdout any more, the outcome is the same.
            let _ = output::print(|out| writeln!(out, "{}", watch.known));
        }
        if watch.known.failed_again() == 0 {
            return Ok(exit);
        }
        report!("failed again: {}; `{}` shows each", watch.failed_of(), self.shows(id));
        Ok(Exit::Partial)
    }

    /// On a page: shows the outcome of each dead letter that was replayed, until all are known or the console stops.
    pub(super) async fn follow(&self, progress: &Progress) {
        let replay = match (&self.executor, self.audit_log.operation_id()) {
            (Executor::Replayer(_), Some(id)) => id,
            _ => return,
        };
        let dead = self.dead.patient(self.ends.clone());
        let mut watch = match Watch::begin(self.audit_log.store(), &dead, replay).await {
            Ok(watch) => watch,
            Err(error) => return progress.say(&format!("the outcomes cannot be read: {error:#}")),
        };
        let show = |watch: &Watch<'_>| {
            progress.change(|steps| steps.outcomes = Some((watch.known.to_string(), watch.waiting())));
        };
        watch.until_known(show, |text| progress.say(text)).await;
        if watch.known.failed_again() > 0 {
            progress.say(&format!("failed again: {}", watch.failed_of()));
        }
    }

    fn shows(&self, replay: &str) -> String {
        hint::command("replays show", &self.dead.prefix, replay)
    }
}

fn waiting_bar(dead_letters: usize) -> ProgressBar {
    crate::progress::bar(dead_letters as u64, "{bar:30} outcome of {pos}/{len} known: {msg} [{elapsed}]")
}
