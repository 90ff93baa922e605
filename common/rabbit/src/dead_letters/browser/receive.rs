//! Taking dead letters by consumers, each allowed a fixed number and cancelled when it has it.
//!
//! `basic.get` would make each dead letter one of a consumer of its own, so that more than a few dozen come back
//! shuffled; and RabbitMQ writes to its log for each.

use std::time::Duration;

use deadpool_lapin::lapin;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::Consumer;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::DeadLetterBrowser;
use crate::broker::bounded;
use crate::dead_letters::handful::{Handful, bytes};
use crate::dead_letters::lock::TIMEOUT;
use crate::failure::classify;
use sluice_core::failure::Failure;

/// After so long without a dead letter the queue's depth is read.
const SILENCE: Duration = Duration::from_secs(1);

impl DeadLetterBrowser {
    /// Receives one from a consumer. One that has as many as it may is cancelled: what it received stays in flight.
    pub(super) async fn receive(&mut self) -> Result<Option<Delivery>, Failure> {
        let mut handful = match self.handful.take() {
            Some(handful) => handful,
            None if self.left == 0 => return Ok(None),
            None => self.begin().await?,
        };
        loop {
            let next = match handful.dead_letters.next().now_or_never() {
                Some(next) => Ok(next),
                None => {
                    self.valve.open();
                    let next = tokio::time::timeout(SILENCE, handful.dead_letters.next()).await;
                    self.valve.shut();
                    next
                }
            };
            match next {
                Ok(Some(dead_letter)) => {
                    let dead_letter = dead_letter.map_err(|error| classify(&error))?;
                    self.keep(&dead_letter);
                    handful.came += 1;
                    handful.heard = Instant::now();
                    if handful.came < handful.wanted {
                        self.handful = Some(handful);
                    } else {
                        self.size.end(handful.wanted);
                        let last = self.end(handful).await?;
                        self.here.extend(last);
                    }
                    return Ok(Some(dead_letter));
                }
                Ok(None) => break,
                Err(_) => {
                    // The broker's answer comes over the same connection as its dead letters.
                    self.valve.open();
                    let ready = self.topology.dead_letter_depth(&self.lock.connection).await?.ready;
                    self.valve.shut();
                    // A consumer without the lock may have taken some of them.
                    if ready == 0 {
                        break;
                    }
                    if handful.heard.elapsed() > TIMEOUT {
                        return Err(Failure::timed_out("amqp", "taking dead letters", TIMEOUT));
                    }
                }
            }
        }
        let last = self.end(handful).await?;
        self.here.extend(last);
        self.left = u32::try_from(self.here.len()).unwrap_or(u32::MAX);
        Ok(self.here.pop_front())
    }

    fn keep(&mut self, dead_letter: &Delivery) {
        let bytes = bytes(dead_letter);
        self.taken.add(dead_letter);
        self.size.see(bytes);
        self.valve.take(bytes);
    }

    /// Begins a handful, while nothing is on its way.
    async fn begin(&mut self) -> Result<Handful, Failure> {
        let wanted = self.size.of(self.left);
        self.valve.reset();
        let (tag, dead_letters) = self.consume(wanted).await?;
        self.valve.shut();
        Ok(Handful { tag, dead_letters, wanted, came: 0, heard: Instant::now() })
    }

    /// Ends a handful, and gives what was still on its way.
    async fn end(&mut self, handful: Handful) -> Result<Vec<Delivery>, Failure> {
        let last = self.cancel(handful.tag, handful.dead_letters).await?;
        last.iter().for_each(|dead_letter| self.keep(dead_letter));
        self.valve.reset();
        Ok(last)
    }

    pub(super) async fn consume(&mut self, wanted: u16) -> Result<(String, Consumer), Failure> {
        let qos = self.channel.basic_qos(wanted, BasicQosOptions { global: false });
        bounded("limiting a look", TIMEOUT, qos).await?;
        // RabbitMQ takes back what consumers hold in the order of their tags, if this process dies.
        let tag = format!("look-{:06}", self.consumers);
        self.consumers += 1;
        self.taken.begin();
        let (queue, options) = (self.topology.dead_letter_queue(), BasicConsumeOptions::default());
        let consume = self.channel.basic_consume(queue.into(), tag.as_str().into(), options, FieldTable::default());
        Ok((tag, bounded("taking dead letters", TIMEOUT, consume).await?))
    }

    /// Cancels a consumer and gives what was still on its way: it comes before the end of the stream.
    pub(super) async fn cancel(&self, tag: String, mut dead_letters: Consumer) -> Result<Vec<Delivery>, Failure> {
        self.valve.open();
        let cancel = self.channel.basic_cancel(tag.into(), BasicCancelOptions::default());
        bounded("ending a look", TIMEOUT, cancel).await?;
        let mut last = Vec::new();
        while let Some(dead_letter) =
            bounded("ending a look", TIMEOUT, async { dead_letters.next().await.transpose() }).await?
        {
            last.push(dead_letter);
        }
        Ok(last)
    }
}
