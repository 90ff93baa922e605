//! Sends acknowledgements to the broker: one task per session, which sends everything that has gathered at once.
//!
//! Posts that were stored in one statement finish at the same moment. Acknowledged one by one, each would wake a thread
//! of the library, need its own packet and wake a process of the broker; gathered, they need only one.

use std::sync::Arc;
use std::time::Duration;

use deadpool_lapin::lapin::Channel;
use deadpool_lapin::lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use futures_util::future::join_all;
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

use super::Unsettled;
use super::ack_tracker::{AckFrame, AckKind, AckTracker};
use crate::broker::bounded;

/// The timeout for writing acknowledgements. The broker does not reply to them, so only a stalled connection delays
/// them.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most settlements that are sent at once.
const GATHER: usize = 1024;

/// The settlement of one delivery, to be sent.
struct Answer {
    tag: u64,
    word: AckKind,
    told: oneshot::Sender<Result<(), String>>,
}

/// Sends the settlements of all deliveries of a session.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    answers: mpsc::UnboundedSender<Answer>,
    /// Held while something is sent, or may not be.
    sending: Arc<Mutex<()>>,
}

impl Answers {
    /// A sender over this channel. It ends with the last delivery that could be settled.
    pub(super) fn over(channel: Channel) -> Self {
        let (answers, waiting) = mpsc::unbounded_channel();
        let sending = Arc::<Mutex<()>>::default();
        tokio::spawn(report(waiting, channel, Arc::clone(&sending)));
        Self { answers, sending }
    }

    /// What was being sent is sent; until this is dropped, nothing more is.
    pub(super) async fn hold(&self) -> MutexGuard<'_, ()> {
        self.sending.lock().await
    }

    /// Settles one delivery of the channel.
    pub(super) async fn give(&self, tag: u64, word: AckKind) -> Result<(), Unsettled> {
        let (told, heard) = oneshot::channel();
        let gone = || Unsettled::Gone("the session has ended".to_owned());
        self.answers.send(Answer { tag, word, told }).map_err(|_| gone())?;
        heard.await.map_err(|_| gone())?.map_err(Unsettled::Gone)
    }
}

async fn report(mut waiting: mpsc::UnboundedReceiver<Answer>, channel: Channel, sending: Arc<Mutex<()>>) {
    let (mut ack_tracker, mut answers) = (AckTracker::default(), Vec::new());
    while waiting.recv_many(&mut answers, GATHER).await > 0 {
        let _sending = sending.lock().await;
        let asked: Vec<_> = answers.iter().map(|answer| (answer.tag, answer.word)).collect();
        let words = ack_tracker.answer(&asked);
        let written = join_all(words.iter().map(|told| write(&channel, told))).await;
        let mut senders: Vec<_> = answers.drain(..).map(|answer| Some(answer.told)).collect();
        for (AckFrame { places, .. }, written) in words.iter().zip(written) {
            for told in places.iter().filter_map(|&place| senders[place].take()) {
                let _ = told.send(written.clone());
            }
        }
    }
}

/// Writes one frame. An error means that it was not sent, and that the session has ended.
async fn write(channel: &Channel, told: &AckFrame) -> Result<(), String> {
    let &AckFrame { tag, word, multiple, .. } = told;
    let written = async {
        match word {
            AckKind::Ack => channel.basic_ack(tag, BasicAckOptions { multiple }).await,
            AckKind::Requeue => channel.basic_nack(tag, BasicNackOptions { multiple, requeue: true }).await,
            AckKind::Reject => channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await,
        }
    };
    bounded("settling a delivery", TIMEOUT, written).await.map_err(|failure| failure.message)
}
