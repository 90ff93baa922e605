//! Putting dead letters back in their order.
//!
//! A quorum queue puts a dead letter that comes back behind all those that ever came back, so their order is kept only
//! if every one of them is in flight before the first is released. RabbitMQ 3.10 also loses the order in two cases,
//! both seen and read in its code: more than 32 dead letters of a consumer in one nack, and more than 32 nacks that it
//! has not written yet. So they go back in slices, a few at a time.

use std::time::Duration;

use deadpool_lapin::lapin;
use lapin::options::BasicNackOptions;
use tokio::time::Instant;

use super::DeadLetterBrowser;
use crate::broker::bounded;
use crate::dead_letters::lock::TIMEOUT;
use sluice_core::failure::Failure;

/// How long to wait until the queue has the released dead letters again, and how often to read its depth.
const BACK: Duration = Duration::from_secs(10);
const BACK_POLL: Duration = Duration::from_millis(5);

impl DeadLetterBrowser {
    pub(super) async fn take_the_rest(&mut self) -> Result<(), Failure> {
        loop {
            self.left -= u32::try_from(self.here.len()).unwrap_or(self.left).min(self.left);
            self.here.clear();
            if self.receive().await?.is_none() {
                return Ok(());
            }
            self.left = self.left.saturating_sub(1);
        }
    }

    pub(super) async fn give_back(&mut self) -> Result<(), Failure> {
        if self.removed.count() > 0 {
            self.wait_until_removed().await?;
        }
        let mut back = self.ready().await?;
        for window in self.taken.windows(|tag| self.removed.has(tag)) {
            for (last, dead_letters) in window {
                // All up to the last of the slice; those before it were settled already.
                let nack = self.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true });
                bounded("putting dead letters back", TIMEOUT, nack).await?;
                back = back.saturating_add(dead_letters);
            }
            self.wait_until_back(back).await?;
        }
        Ok(())
    }

    /// The broker does not answer an ack; it may delay some while it writes others, and loses the delayed ones when the
    /// channel ends. A consumer's beginning and end stand behind them in the queue's log, and are answered.
    async fn wait_until_removed(&mut self) -> Result<(), Failure> {
        let (tag, dead_letters) = self.consume(1).await?;
        let newest = self.cancel(tag, dead_letters).await?;
        newest.iter().for_each(|dead_letter| self.taken.add(dead_letter));
        Ok(())
    }

    /// A nack is not answered either. A browser that came too early would see only some of the dead letters.
    async fn wait_until_back(&self, ready: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        while self.ready().await? < ready && begun.elapsed() < BACK {
            tokio::time::sleep(BACK_POLL).await;
        }
        Ok(())
    }

    async fn ready(&self) -> Result<usize, Failure> {
        let depth = self.topology.dead_letter_depth(&self.lock.connection).await?;
        Ok(usize::try_from(depth.ready).unwrap_or(usize::MAX))
    }
}
