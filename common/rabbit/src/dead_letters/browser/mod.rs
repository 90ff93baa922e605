//! Browsing the dead letters: they are delivered one after the other, and each is settled or released, in their order.
//!
//! ```text
//!  the lock ──► consumer 1 ─┐
//!               consumer 2 ─┼─► next, next, … ──► put_back: slice by slice, until the queue has them again
//!               …          ─┘   remove (ack)
//! ```
//!
//! `receive` takes dead letters from consumers, `release` puts them back.
//!
//! To have a dead letter in flight is to be the one who settles it: of a dead letter that was only read, no more than
//! the delivery tag is kept. What is on its way is bounded in bytes, twice: a consumer takes fewer dead letters where
//! they are large, and the connection has a [`Valve`] for those that turn out to be larger than the ones before.
//!
//! Dead letters are never rejected, and the channel is never just closed: on RabbitMQ 4 both count towards the delivery
//! limit. While dead letters are in flight nobody else sees them, so browsers wait for one another.

mod receive;
mod release;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use deadpool_lapin::lapin;
use lapin::message::Delivery;
use lapin::{Channel, Connection};
use tokio::time::Instant;

use super::dead_letter::{DeadLetter, Removed};
use super::error::BrowseError;
use super::handful::{HANDFUL_BYTES, Handful, Size, Taken, bytes};
use super::lock::{BrowserLock, TIMEOUT};
use crate::broker::{Broker, Valve, bounded, close};
use crate::topology::{Depth, Topology};
use sluice_core::failure::Failure;

/// The most bytes of dead letters that are kept for [`DeadLetterBrowser::next`] during [`DeadLetterBrowser::pause`].
const ASIDE_BYTES: usize = HANDFUL_BYTES;

/// Browses the dead letters, as their only consumer.
pub struct DeadLetterBrowser {
    lock: BrowserLock,
    channel: Channel,
    broker: Broker,
    topology: Topology,
    valve: Arc<Valve>,
    /// How many are still to be handed out: no more than were there at the beginning, or a replay of dead letters that
    /// fail again at once would never end.
    left: u32,
    /// Those of them that were received already.
    here: VecDeque<Delivery>,
    /// Whether some were too large to be kept: they and all after them are not handed out any more.
    cut_short: bool,
    handful: Option<Handful>,
    size: Size,
    consumers: u32,
    taken: Taken,
    removed: Removed,
    begun: Instant,
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
        let lock = match BrowserLock::take(broker, topology, &valve, patience, on_wait).await {
            // A minority of a cluster of RabbitMQ 4.3 makes no lock, and ends none.
            Err(error) if error.may_mean_a_minority() => {
                let connection = broker.connect().await?;
                let depth = depth(&connection, broker, topology).await;
                close(&connection).await;
                return Err(depth.err().filter(BrowseError::is_no_leader).unwrap_or(error));
            }
            taken => taken?,
        };
        let left = depth(&lock.connection, broker, topology).await?.ready;
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

    /// How many are still to be handed out.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Whether [`Self::next`] ended before the end, because of dead letters that were too large to be kept. They come
    /// when all are put back and the dead letters are opened again.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// The next one; `None` at the end of what was there at the beginning, or [before](Self::is_cut_short).
    ///
    /// # Errors
    /// When the broker cannot be used any more; it puts back by itself what was in flight.
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

    /// Receives what is on its way, so that no dead letter waits in the network while something else is done.
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

    /// Puts back, in their order, all that were not settled, and gives up the lock. What was not received yet is
    /// received first, or it would stand before what was.
    ///
    /// # Errors
    /// When the broker could not be used; it puts them back by itself then.
    pub async fn put_back(self) -> Result<(), BrowseError> {
        self.put_back_and_keep_the_lock().await?.end().await;
        Ok(())
    }

    /// The same, but keeps the lock for more to do.
    ///
    /// # Errors
    /// As [`Self::put_back`].
    pub async fn put_back_and_keep_the_lock(mut self) -> Result<BrowserLock, BrowseError> {
        self.take_the_rest().await.map_err(|failure| self.with_context(failure))?;
        self.give_back().await.map_err(|failure| self.with_context(failure))?;
        Ok(self.lock)
    }

    fn with_context(&self, failure: Failure) -> BrowseError {
        // RabbitMQ 3.10 and 4.0 close the channel with this; 4.3 only cancels the consumer.
        if failure.code == "amqp_406" && failure.message.contains("timed out") {
            let queue = self.topology.dead_letter_queue();
            return BrowseError::TakenBack { queue, held: self.begun.elapsed() };
        }
        self.broker.with_context(failure).into()
    }
}

/// How many dead letters there are, of a queue that is there and has a leader.
async fn depth(connection: &Connection, broker: &Broker, topology: &Topology) -> Result<Depth, BrowseError> {
    let queue = topology.dead_letter_queue();
    let asked = async {
        let depth = topology.dead_letter_depth(connection).await?;
        depth.check_leader(broker, &queue).await?;
        Ok(depth)
    };
    asked.await.map_err(|failure: Failure| match failure.code.as_str() {
        "amqp_404" => BrowseError::NoQueue(queue.clone()),
        _ => broker.with_context(failure).into(),
    })
}
