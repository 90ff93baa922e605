//! Dead letters in hand: looked at one after the other, each answered or all put back in their order.
//!
//! ```text
//!  the turn ──► consumer 1 ─┐
//!               consumer 2 ─┼─► next, next, … ──► put_back: slice by slice, until the queue has them again
//!               …          ─┘   remove (ack)
//! ```
//!
//! A quorum queue puts a letter that comes back behind all those that ever came back, so a look keeps their order only
//! if it has every one of them in hand before it gives back the first. RabbitMQ 3.10 also loses the order of what it is
//! given back in two cases, both seen and read in its code: more than 32 letters of a consumer in one answer, and more
//! than 32 answers that it has not written yet. `basic.get` makes each letter one of a consumer of its own, so that more
//! than a few dozen come back shuffled; and it writes to its log for each. So letters come by a few consumers, each
//! allowed a fixed number and cancelled when it has it, and go back in slices, a few at a time.
//!
//! They are never rejected, and the channel is never just closed: on 4.x both bring a letter nearer to its destruction.
//! While letters are in hand nobody else sees them, so lookers take turns: the turn is an exclusive queue, which the
//! broker takes away from whoever dies with it.

use std::collections::VecDeque;
use std::time::Duration;

use deadpool_lapin::lapin;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::time::Instant;

use super::Unsettled;
use super::letter::{Letter, Removed};
use crate::broker::{Broker, BrokerError, bounded, close};
use crate::failure::Failure;
use crate::topology::Topology;

/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a waiting looker asks for its turn.
const TURN_POLL: Duration = Duration::from_millis(200);
/// After so long without a letter it is asked whether there are any left.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait until the queue has again what was put back, and how often to ask.
const BACK: Duration = Duration::from_secs(10);
const BACK_POLL: Duration = Duration::from_millis(5);
/// The most letters that go back in one answer, and the most such answers before it is seen that they are back. With
/// [`CONSUMERS`] both stay below the broker's 32.
const SLICE: usize = 32;
const SLICES: usize = 16;
/// The fewest letters of one consumer.
const HANDFUL: u32 = 250;
/// The most consumers, as long as the letters are fewer than this times [`u16::MAX`].
const CONSUMERS: u32 = 12;

/// The dead letters, in one pair of hands.
pub struct Letters {
    connection: Connection,
    channel: Channel,
    broker: Broker,
    topology: Topology,
    /// How many are still to be handed out: no more than were there at the beginning, or a replay whose letters die
    /// again at once would never end.
    left: u32,
    /// Those of them that are here already.
    here: VecDeque<Delivery>,
    /// How many a consumer takes.
    handful: u32,
    consumers: u32,
    /// The delivery tags of all that were ever in hand, and of those that were taken out of the queue.
    taken: Vec<u64>,
    removed: Removed,
}

/// Why the dead letters cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The queue was never declared.
    #[error("there is no dead-letter queue `{0}`; is SLUICE_PREFIX right? `sluice topology apply` makes the queues")]
    NoQueue(String),
    /// Somebody else did not come to an end.
    #[error("somebody else has had the dead letters of `{queue}` in hand for {waited:.0?}; try again later")]
    Busy {
        /// The dead-letter queue.
        queue: String,
        /// How long we waited for our turn.
        waited: Duration,
    },
    /// A letter could not be answered; it is delivered again.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

impl Letters {
    /// Takes the turn, waiting for it at most `patience`. `on_wait` is called once if there is a wait.
    ///
    /// # Errors
    /// [`LetterError`].
    pub async fn open(
        broker: &Broker,
        topology: &Topology,
        patience: Duration,
        on_wait: impl FnOnce(),
    ) -> Result<Self, LetterError> {
        let connection = broker.connect().await?;
        take_turn(&connection, broker, topology, patience, on_wait).await?;
        let left = match topology.dead_letter_depth(&connection).await {
            Ok(depth) => depth.ready,
            Err(failure) if failure.code == "amqp_404" => {
                return Err(LetterError::NoQueue(topology.dead_letter_queue()));
            }
            Err(failure) => return Err(broker.blame(failure).into()),
        };
        let channel = bounded("opening a channel", TIMEOUT, connection.create_channel())
            .await
            .map_err(|failure| broker.blame(failure))?;
        Ok(Self {
            connection,
            channel,
            broker: broker.clone(),
            topology: topology.clone(),
            left,
            here: VecDeque::new(),
            handful: left.div_ceil(CONSUMERS).clamp(HANDFUL, u16::MAX.into()),
            consumers: 0,
            taken: Vec::new(),
            removed: Removed::default(),
        })
    }

    /// How many are still to be taken.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Takes the next one; `None` at the end of what was there at the beginning.
    ///
    /// # Errors
    /// When the broker cannot be used any more; what was in hand goes back by itself.
    pub async fn next(&mut self) -> Result<Option<Letter>, LetterError> {
        if self.here.is_empty() && self.left > 0 {
            self.fetch().await.map_err(|failure| self.broker.blame(failure))?;
        }
        let Some(message) = self.here.pop_front() else { return Ok(None) };
        self.left -= 1;
        Ok(Some(Letter::read(message, self.removed.clone())))
    }

    /// Lets a consumer take as many as it may, and cancels it: what it took stays in hand.
    async fn fetch(&mut self) -> Result<(), Failure> {
        // Not above u16::MAX: `handful` is not.
        let wanted = u16::try_from(self.left.min(self.handful)).unwrap_or(u16::MAX);
        let (tag, mut letters) = self.consume(wanted).await?;
        let mut heard = Instant::now();
        while self.here.len() < wanted.into() {
            match tokio::time::timeout(SILENCE, letters.next()).await {
                Ok(Some(letter)) => self.here.push_back(letter?),
                Ok(None) => break,
                // Somebody who does not take turns may have taken some of them.
                Err(_) if self.topology.dead_letter_depth(&self.connection).await?.ready == 0 => break,
                Err(_) if heard.elapsed() > TIMEOUT => {
                    return Err(Failure::timed_out("amqp", "taking dead letters", TIMEOUT));
                }
                Err(_) => continue,
            }
            heard = Instant::now();
        }
        self.here.extend(self.cancel(tag, letters).await?);
        self.taken.extend(self.here.iter().map(|letter| letter.delivery_tag));
        if self.here.len() < wanted.into() {
            self.left = u32::from(wanted).min(u32::try_from(self.here.len()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    async fn consume(&mut self, wanted: u16) -> Result<(String, Consumer), Failure> {
        let qos = self.channel.basic_qos(wanted, BasicQosOptions { global: false });
        bounded("limiting a look", TIMEOUT, qos).await?;
        // In the order of their names: that is how the broker takes back what they hold when we die.
        let tag = format!("look-{:06}", self.consumers);
        self.consumers += 1;
        let (queue, options) = (self.topology.dead_letter_queue(), BasicConsumeOptions::default());
        let consume = self.channel.basic_consume(queue.into(), tag.as_str().into(), options, FieldTable::default());
        Ok((tag, bounded("taking dead letters", TIMEOUT, consume).await?))
    }

    /// Cancels a consumer and gives what was still on its way: it comes before the end of the stream.
    async fn cancel(&self, tag: String, mut letters: Consumer) -> Result<Vec<Delivery>, Failure> {
        let cancel = self.channel.basic_cancel(tag.into(), BasicCancelOptions::default());
        bounded("ending a look", TIMEOUT, cancel).await?;
        let mut last = Vec::new();
        while let Some(letter) = bounded("ending a look", TIMEOUT, async { letters.next().await.transpose() }).await? {
            last.push(letter);
        }
        Ok(last)
    }

    /// Puts back, in their order, all that were not answered, and gives up the turn. What was not taken yet is taken
    /// first, or it would come to stand before what was.
    ///
    /// # Errors
    /// When that could not be said to the broker; it puts them back by itself then.
    pub async fn put_back(mut self) -> Result<(), LetterError> {
        while self.next().await?.is_some() {}
        self.give_back().await.map_err(|failure| self.broker.blame(failure))?;
        close(&self.connection).await;
        Ok(())
    }

    async fn give_back(&mut self) -> Result<(), Failure> {
        if self.removed.count() > 0 {
            self.wait_until_removed().await?;
        }
        let kept: Vec<u64> = self.taken.iter().copied().filter(|tag| !self.removed.has(*tag)).collect();
        let before = self.ready().await?;
        for (window, tags) in kept.chunks(SLICE * SLICES).enumerate() {
            for slice in tags.chunks(SLICE) {
                // All up to the last of the slice; those before it were answered already.
                let last = slice.last().copied().unwrap_or_default();
                let nack = self.channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true });
                bounded("putting dead letters back", TIMEOUT, nack).await?;
            }
            self.wait_until_back(before.saturating_add(window * SLICE * SLICES + tags.len())).await?;
        }
        Ok(())
    }

    /// An ack is not answered, the broker may keep some back while it writes others, and what it keeps back is lost when
    /// the channel ends. A consumer's beginning and end stand behind them in the queue's log, and are answered.
    async fn wait_until_removed(&mut self) -> Result<(), Failure> {
        let (tag, letters) = self.consume(1).await?;
        let newest = self.cancel(tag, letters).await?;
        self.taken.extend(newest.iter().map(|letter| letter.delivery_tag));
        Ok(())
    }

    /// A nack is not answered either. Whoever looked too early would see only some of the letters.
    async fn wait_until_back(&self, ready: usize) -> Result<(), Failure> {
        let begun = Instant::now();
        while self.ready().await? < ready && begun.elapsed() < BACK {
            tokio::time::sleep(BACK_POLL).await;
        }
        Ok(())
    }

    async fn ready(&self) -> Result<usize, Failure> {
        let depth = self.topology.dead_letter_depth(&self.connection).await?;
        Ok(usize::try_from(depth.ready).unwrap_or(usize::MAX))
    }
}

async fn take_turn(
    connection: &Connection,
    broker: &Broker,
    topology: &Topology,
    patience: Duration,
    on_wait: impl FnOnce(),
) -> Result<(), LetterError> {
    let begun = Instant::now();
    let mut on_wait = Some(on_wait);
    loop {
        // A refusal closes the channel, so each try has its own.
        let channel = bounded("opening a channel", TIMEOUT, connection.create_channel())
            .await
            .map_err(|failure| broker.blame(failure))?;
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let declare = channel.queue_declare(topology.look_lock().into(), options, FieldTable::default());
        match bounded("asking for the turn", TIMEOUT, declare).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.code == "amqp_405" => {}
            Err(failure) => return Err(broker.blame(failure).into()),
        }
        if begun.elapsed() > patience {
            return Err(LetterError::Busy { queue: topology.dead_letter_queue(), waited: begun.elapsed() });
        }
        if let Some(tell) = on_wait.take() {
            tell();
        }
        tokio::time::sleep(TURN_POLL).await;
    }
}
