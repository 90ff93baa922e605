//! Browsing dead letters. Whatever happens while browsing, all of them are returned in order.

use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::ProgressBar;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::dead_letters::{DeadLetter, DeadLetterBrowser};
use sluice_rabbit::topology::Topology;
use sluice_runtime::shutdown;
use tokio_util::sync::CancellationToken;

use crate::progress::bar;
use sluice_runtime::output::report;

/// How long to wait for another client that has the dead letters in flight.
const TURN_PATIENCE: Duration = Duration::from_secs(30);
const BRIEF_PATIENCE: Duration = Duration::from_secs(2);
/// From how many dead letters browsing shows a progress bar: about a third of a second.
const MANY: u32 = 5_000;

/// The dead letters of one prefix, and the signal that stops browsing early.
#[derive(Clone)]
pub(crate) struct DeadLetters {
    /// Where.
    pub(crate) broker: Broker,
    /// Under which names.
    pub(crate) topology: Topology,
    /// The prefix of all names there.
    pub(crate) prefix: String,
    /// Cancelled by Ctrl-C or SIGTERM.
    pub(crate) stop: CancellationToken,
    /// How long to wait for somebody else who has the dead letters in flight, and whether to say so.
    patience: Duration,
    says_so: bool,
}

/// Browsing was stopped by a signal. All dead letters are returned.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; the dead letters are unchanged")]
pub(crate) struct Interrupted;

impl DeadLetters {
    /// The dead letters of these settings. Nothing is opened yet.
    ///
    /// # Errors
    /// When a setting is wrong, or signals cannot be listened for.
    pub(crate) fn new(args: &BrokerArgs, purpose: &str) -> anyhow::Result<Self> {
        Ok(Self { patience: TURN_PATIENCE, says_so: true, ..Self::briefly(args, purpose, shutdown::on_interrupt()?)? })
    }

    /// The same, for a command that shows more than dead letters: it hardly waits for them, and prints nothing about
    /// it.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub(crate) fn briefly(args: &BrokerArgs, purpose: &str, stop: CancellationToken) -> anyhow::Result<Self> {
        let (broker, topology) = (Broker::new(args, format!("sluice {purpose}"))?, Topology::new(args));
        Ok(Self {
            broker,
            topology,
            prefix: args.prefix.as_str().to_owned(),
            stop,
            patience: BRIEF_PATIENCE,
            says_so: false,
        })
    }

    /// The same, waiting for others as long as a command does, and for another signal to stop.
    pub(crate) fn patient(&self, stop: CancellationToken) -> Self {
        Self { stop, patience: TURN_PATIENCE, ..self.clone() }
    }

    /// Takes the lock, and waits for it if necessary.
    ///
    /// # Errors
    /// When the broker cannot be used, there is no such queue, or the lock does not come.
    pub(crate) async fn open(&self) -> anyhow::Result<DeadLetterBrowser> {
        let waiting = || {
            if self.says_so {
                report!("waiting for another client that has the dead letters in flight …");
            }
        };
        tokio::select! {
            opened = DeadLetterBrowser::open(&self.broker, &self.topology, self.patience, waiting) => Ok(opened?),
            () = self.stop.cancelled() => Err(Interrupted.into()),
        }
    }

    /// Shows each dead letter to `see`, in their order, until it breaks off, and puts them all back. Gives how many
    /// there were at the beginning.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Interrupted`].
    pub(crate) async fn look(&self, mut see: impl FnMut(DeadLetter) -> ControlFlow<()>) -> anyhow::Result<u32> {
        let mut dead_letters = self.open().await?;
        let total = dead_letters.left();
        let bar = progress(total, self.says_so);
        let seen = self.show_each(&mut dead_letters, |dead_letter| {
            bar.inc(1);
            see(dead_letter)
        });
        let seen = seen.await;
        bar.set_message(", returning them");
        let back = dead_letters.put_back().await;
        bar.finish_and_clear();
        seen?;
        back?;
        Ok(total)
    }

    async fn show_each(
        &self,
        dead_letters: &mut DeadLetterBrowser,
        mut see: impl FnMut(DeadLetter) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        while let Some(dead_letter) = dead_letters.next().await? {
            if self.stop.is_cancelled() {
                return Err(Interrupted.into());
            }
            if see(dead_letter).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A progress bar on a terminal, if there are many dead letters.
fn progress(dead_letters: u32, wanted: bool) -> ProgressBar {
    if !wanted || dead_letters < MANY {
        return ProgressBar::hidden();
    }
    bar(dead_letters.into(), "{bar:30} {pos}/{len} dead letters browsed{msg} [{elapsed}]")
}
