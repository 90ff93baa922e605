//! Dead letters in flight: looked at one after the other, each answered or all put back in their order.
//!
//! ```text
//!  the lock ──► consumer 1 ─┐
//!               consumer 2 ─┼─► next, next, … ──► put_back: slice by slice, until the queue has them again
//!               …          ─┘   remove (ack)
//! ```
//!
//! A quorum queue puts a dead letter that comes back behind all those that ever came back, so a look keeps their order
//! only if it has every one of them in flight before it gives back the first. RabbitMQ 3.10 also loses the order of
//! what it is released in two cases, both seen and read in its code: more than 32 dead letters of a consumer in one
//! answer, and more than 32 answers that it has not written yet. `basic.get` makes each dead letter one of a consumer
//! of its own, so that more than a few dozen come back shuffled; and it writes to its log for each. So dead letters
//! come by consumers, each allowed a fixed number and cancelled when it has it, and go back in slices, a few at a time.
//!
//! To have a dead letter in flight is to be the one who answers it: of a dead letter that was looked at only its
//! delivery tag is kept. What is on its way is bounded in bytes, twice: a consumer takes fewer dead letters where they
//! are large, and the connection has a [`Valve`] for those that turn out to be larger than the ones before.
//!
//! They are never rejected, and the channel is never just closed: on 4.x both bring a dead letter nearer to its
//! destruction. While dead letters are in flight nobody else sees them, so browsers wait for one another.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use deadpool_lapin::lapin;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::time::Instant;

use super::dead_letter::{DeadLetter, Removed};
use super::handful::{HANDFUL_BYTES, Handful, Size, Taken, bytes};
use super::lock::{BrowserLock, TIMEOUT};
use crate::broker::{Broker, BrokerError, Valve, bounded};
use crate::delivery::Unsettled;
use crate::failure::classify;
use crate::topology::Topology;
use sluice_core::failure::Failure;

/// After so long without a dead letter it is asked whether there are any left.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait until the queue has again what was put back, and how often to ask.
const BACK: Duration = Duration::from_secs(10);
const BACK_POLL: Duration = Duration::from_millis(5);
/// The most bytes of dead letters that wait here for [`DeadLetterBrowser::next`] while something else is done.
const ASIDE_BYTES: usize = HANDFUL_BYTES;

/// The dead letters, in one pair of hands.
pub struct DeadLetterBrowser {
    lock: BrowserLock,
    channel: Channel,
    broker: Broker,
    topology: Topology,
    valve: Arc<Valve>,
    /// How many are still to be handed out: no more than were there at the beginning, or a replay whose dead letters
    /// die again at once would never end.
    left: u32,
    /// Those of them that are here already.
    here: VecDeque<Delivery>,
    /// Whether some were too large to be kept here: they and all after them are not handed out any more.
    cut_short: bool,
    handful: Option<Handful>,
    size: Size,
    consumers: u32,
    taken: Taken,
    removed: Removed,
    begun: Instant,
}

/// Why the dead letters cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queue was never declared.
    #[error("there is no dead-letter queue `{0}`; is SLUICE_PREFIX right? `sluice topology apply` declares the queues")]
    NoQueue(String),
    /// Somebody else did not come to an end.
    #[error("another client has had the dead letters of `{queue}` in flight for {waited:.0?}; try again later")]
    Busy {
        /// The dead-letter queue.
        queue: String,
        /// How long we waited for our lock.
        waited: Duration,
    },
    /// The broker's `consumer_timeout` is over.
    #[error(
        "RabbitMQ took the dead letters of `{queue}` back after {held:.0?}, because its `consumer_timeout` is shorter; \
         none is lost. Set `consumer_timeout` to 5 minutes or more"
    )]
    TakenBack {
        /// The dead-letter queue.
        queue: String,
        /// How long they were in flight.
        held: Duration,
    },
    /// A dead letter could not be answered; it is delivered again.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

impl DeadLetterBrowser {
    /// Takes the lock, waiting for it at most `patience`. `on_wait` is called once if there is a wait.
    ///
    /// # Errors
    /// [`BrowseError`].
    pub async fn open(
        broker: &Broker,
        topology: &Topology,
        patience: Duration,
        on_wait: impl FnOnce(),
    ) -> Result<Self, BrowseError> {
        let valve = Arc::new(Valve::new(HANDFUL_BYTES));
        let lock = BrowserLock::take(broker, topology, &valve, patience, on_wait).await?;
        let left = match topology.dead_letter_depth(&lock.connection).await {
            Ok(depth) => depth.ready,
            Err(failure) if failure.code == "amqp_404" => {
                return Err(BrowseError::NoQueue(topology.dead_letter_queue()));
            }
            Err(failure) => return Err(broker.with_context(failure).into()),
        };
        let channel = bounded("opening a channel", TIMEOUT, lock.connection.create_channel())
            .await
            .map_err(|failure| broker.with_context(failure))?;
        Ok(Self {
            lock,
            channel,
            broker: broker.clone(),
            topology: topology.clone(),
            valve,
            left,
            here: VecDeque::new(),
            cut_short: false,
            handful: None,
            size: Size::new(),
            consumers: 0,
            taken: Taken::default(),
            removed: Removed::default(),
            begun: Instant::now(),
        })
    }

    /// How many are still to be taken.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Whether [`Self::next`] ended before the end, because of dead letters that were too large to wait for it. They
    /// come when all are put back and taken anew.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Takes the next one; `None` at the end of what was there at the beginning, or [before](Self::is_cut_short).
    ///
    /// # Errors
    /// When the broker cannot be used any more; what was in flight goes back by itself.
    pub async fn next(&mut self) -> Result<Option<DeadLetter>, BrowseError> {
        let message = match self.here.pop_front() {
            Some(message) => Some(message),
            None if self.cut_short => None,
            None => self.receive().await.map_err(|failure| self.with_context(failure))?,
        };
        Ok(message.map(|message| {
            self.left -= 1;
            DeadLetter::read(message, self.removed.clone())
        }))
    }

    /// Takes what is on its way, so that no dead letter waits in the network while something else is done.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn pause(&mut self) -> Result<(), BrowseError> {
        let mut aside: usize = self.here.iter().map(bytes).sum();
        while self.handful.is_some() {
            let Some(dead_letter) = self.receive().await.map_err(|failure| self.with_context(failure))? else { break };
            aside += bytes(&dead_letter);
            self.cut_short |= aside > ASIDE_BYTES;
            if self.cut_short {
                self.left -= 1;
            } else {
                self.here.push_back(dead_letter);
            }
        }
        Ok(())
    }

    /// Takes one from a consumer. One that has as many as it may is cancelled: what it took stays in flight.
    async fn receive(&mut self) -> Result<Option<Delivery>, Failure> {
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
                    // The broker's answer comes the same way as its dead letters.
                    self.valve.open();
                    let ready = self.topology.dead_letter_depth(&self.lock.connection).await?.ready;
                    self.valve.shut();
                    // Somebody who does not take turns may have taken some of them.
                    if ready == 0 {
                        break;
                    }
                    if handful.heard.elapsed() > TIMEOUT {
                        return Err(Failure::timed_out("amqp", "fetching dead letters", TIMEOUT));
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

    /// Begins a handful; nothing is on its way then.
    async fn begin(&mut self) -> Result<Handful, Failure> {
        let wanted = self.size.of(self.left);
        self.valve.reset();
        let (tag, dead_letters) = self.consume(wanted).await?;
        self.valve.shut();
        Ok(Handful { tag, dead_letters, wanted, came: 0, heard: Instant::now() })
    }

    /// Ends it, and gives what was still on its way.
    async fn end(&mut self, handful: Handful) -> Result<Vec<Delivery>, Failure> {
        let last = self.cancel(handful.tag, handful.dead_letters).await?;
        last.iter().for_each(|dead_letter| self.keep(dead_letter));
        self.valve.reset();
        Ok(last)
    }

    async fn consume(&mut self, wanted: u16) -> Result<(String, Consumer), Failure> {
        let qos = self.channel.basic_qos(wanted, BasicQosOptions { global: false });
        bounded("setting the prefetch", TIMEOUT, qos).await?;
        // In the order of their names: that is how the broker takes back what they hold when we die.
        let tag = format!("look-{:06}", self.consumers);
        self.consumers += 1;
        self.taken.begin();
        let (queue, options) = (self.topology.dead_letter_queue(), BasicConsumeOptions::default());
        let consume = self.channel.basic_consume(queue.into(), tag.as_str().into(), options, FieldTable::default());
        Ok((tag, bounded("fetching dead letters", TIMEOUT, consume).await?))
    }

    /// Cancels a consumer and gives what was still on its way: it comes before the end of the stream.
    async fn cancel(&self, tag: String, mut dead_letters: Consumer) -> Result<Vec<Delivery>, Failure> {
        self.valve.open();
        let cancel = self.channel.basic_cancel(tag.into(), BasicCancelOptions::default());
        bounded("cancelling a consumer", TIMEOUT, cancel).await?;
        let mut last = Vec::new();
        while let Some(dead_letter) =
            bounded("cancelling a consumer", TIMEOUT, async { dead_letters.next().await.transpose() }).await?
        {
            last.push(dead_letter);
        }
        Ok(last)
    }

    /// Puts back, in their order, all that were not answered, and gives up the lock. What was not taken yet is taken
    /// first, or it would come to stand before what was.
    ///
    /// # Errors
    /// When that could not be said to the broker; it puts them back by itself then.
    pub async fn put_back(self) -> Result<(), BrowseError> {
        self.put_back_and_keep_the_lock().await?.end().await;
        Ok(())
    }

    /// The same, for whoever has more to do that nobody may come in between of.
    ///
    /// # Errors
    /// As [`Self::put_back`].
    pub async fn put_back_and_keep_the_lock(mut self) -> Result<BrowserLock, BrowseError> {
        self.take_the_rest().await.map_err(|failure| self.with_context(failure))?;
        self.give_back().await.map_err(|failure| self.with_context(failure))?;
        Ok(self.lock)
    }

    async fn take_the_rest(&mut self) -> Result<(), Failure> {
        loop {
            self.left -= u32::try_from(self.here.len()).unwrap_or(self.left).min(self.left);
            self.here.clear();
            if self.receive().await?.is_none() {
                return Ok(());
            }
            self.left = self.left.saturating_sub(1);
        }
    }

    async fn give_back(&mut self) -> Result<(), Failure> {
        if self.removed.count() > 0 {
            self.wait_until_removed().await?;
        }
        let mut back = self.ready().await?;
        for window in self.taken.windows(|tag| self.removed.has(tag)) {
            for (last, dead_letters) in window {
                // All up to the last of the slice; those before it were answered already.
                let nack = self.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true });
                bounded("returning dead letters", TIMEOUT, nack).await?;
                back = back.saturating_add(dead_letters);
            }
            self.wait_until_back(back).await?;
        }
        Ok(())
    }

    /// An ack is not answered, the broker may keep some back while it writes others, and what it keeps back is lost
    /// when the channel ends. A consumer's beginning and end stand behind them in the queue's log, and are answered.
    async fn wait_until_removed(&mut self) -> Result<(), Failure> {
        let (tag, dead_letters) = self.consume(1).await?;
        let newest = self.cancel(tag, dead_letters).await?;
        newest.iter().for_each(|dead_letter| self.taken.add(dead_letter));
        Ok(())
    }

    /// A nack is not answered either. Whoever looked too early would see only some of the dead letters.
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

    fn with_context(&self, failure: Failure) -> BrowseError {
        // 3.10 and 4.0 close the channel and say so; 4.3 only cancels.
        if failure.code == "amqp_406" && failure.message.contains("timed out") {
            let queue = self.topology.dead_letter_queue();
            return BrowseError::TakenBack { queue, held: self.begun.elapsed() };
        }
        self.broker.with_context(failure).into()
    }
}
