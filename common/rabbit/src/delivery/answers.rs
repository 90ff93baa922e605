//! The way of answers back to the broker: one task for each session, which tells at once what has gathered.
//!
//! Posts that were stored in one statement are done at the same moment. Told one by one, each of them would wake a
//! thread of the library, be a packet of its own and wake a process of the broker; gathered, they are one.

use std::time::Duration;

use deadpool_lapin::lapin::Channel;
use deadpool_lapin::lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use super::Unsettled;
use super::ack_tracker::{AckFrame, AckKind, AckTracker};
use crate::broker::bounded;

/// The longest wait for answers to be written. They are not answered in turn, so only a stopped connection delays them.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most answers that are told at once.
const GATHER: usize = 1024;

/// One delivery's answer, on its way.
struct Answer {
    tag: u64,
    word: AckKind,
    told: oneshot::Sender<Result<(), String>>,
}

/// The way back to the broker, for all deliveries of a session.
#[derive(Debug, Clone)]
pub(super) struct Answers(mpsc::UnboundedSender<Answer>);

impl Answers {
    /// The way back over this channel. It ends with the last delivery that could be answered.
    pub(super) fn over(channel: Channel) -> Self {
        let (answers, waiting) = mpsc::unbounded_channel();
        tokio::spawn(report(waiting, channel));
        Self(answers)
    }

    /// Answers one delivery of the channel.
    pub(super) async fn give(&self, tag: u64, word: AckKind) -> Result<(), Unsettled> {
        let (told, heard) = oneshot::channel();
        let gone = || Unsettled::Gone("the session has ended".to_owned());
        self.0.send(Answer { tag, word, told }).map_err(|_| gone())?;
        heard.await.map_err(|_| gone())?.map_err(Unsettled::Gone)
    }
}

async fn report(mut waiting: mpsc::UnboundedReceiver<Answer>, channel: Channel) {
    let (mut ack_tracker, mut answers) = (AckTracker::default(), Vec::new());
    while waiting.recv_many(&mut answers, GATHER).await > 0 {
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

/// Writes one word. An error means that it was not sent: the session is over.
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
