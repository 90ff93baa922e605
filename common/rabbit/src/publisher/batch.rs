//! One batch on one channel: published, and evaluated only when all of its confirms have arrived.

use std::collections::HashSet;

use deadpool_lapin::lapin::options::BasicPublishOptions;
use deadpool_lapin::lapin::{self, Channel, Confirmation};
use futures_util::future::join_all;

use super::{Envelope, PublishError};
use crate::failure::{classify, is_unroutable_channel_error};
use sluice_core::failure::{Failure, Kind};

/// The outcome of each message of a batch, in order.
type Answers = Vec<Result<(), PublishError>>;

/// Publishes a batch on one channel, then retries the refused messages once.
///
/// A refusal does not give a reason. A full queue refuses messages, and so does a queue that is being deleted; on the
/// second try, the deleted queue is gone or exists again. Only the first refused message is tried at first: if the
/// queue is full, that is enough to know.
pub(super) async fn publish_on(channel: &Channel, batch: &[&Envelope]) -> Result<Answers, BatchError> {
    let mut answers = publish_once(channel, batch).await?;
    let is_full = |answer: &Result<(), PublishError>| *answer == Err(PublishError::Full);
    let refused: Vec<usize> = (0..batch.len()).filter(|&place| is_full(&answers[place])).collect();
    for places in [refused.get(..1), refused.get(1..)].into_iter().flatten() {
        let again: Vec<&Envelope> = places.iter().map(|&place| batch[place]).collect();
        let second = publish_once(channel, &again).await?;
        let full = second.iter().any(is_full);
        for (&place, answer) in places.iter().zip(second) {
            answers[place] = answer;
        }
        if full {
            break;
        }
    }
    Ok(answers)
}

/// Publishes a batch and evaluates it as a whole.
async fn publish_once(channel: &Channel, batch: &[&Envelope]) -> Result<Answers, BatchError> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let publish = batch.iter().map(|envelope| {
        let (exchange, key) = (envelope.exchange.as_str().into(), envelope.routing_key.as_str().into());
        channel.basic_publish(exchange, key, options, &envelope.body, envelope.properties.clone())
    });
    // All at once: awaited one by one, each would wait until the library's thread has written the one before.
    let published = join_all(publish).await;
    let mut confirms = Vec::with_capacity(batch.len());
    for (published, envelope) in published.into_iter().zip(batch) {
        match published {
            Ok(confirm) => confirms.push(confirm),
            Err(error) => return Err(why_closed(confirms, batch, BatchError::of(&error, envelope)).await),
        }
    }
    let mut returned = HashSet::new();
    let mut answers = Vec::with_capacity(batch.len());
    for (confirm, envelope) in confirms.into_iter().zip(batch) {
        let confirmation = confirm.await.map_err(|error| BatchError::of(&error, envelope))?;
        answers.push(match &confirmation {
            Confirmation::Ack(_) => Ok(()),
            Confirmation::Nack(_) => Err(PublishError::Full),
            // The channel is not in confirm mode, so no outcome is known.
            Confirmation::NotRequested => return Err(BatchError::from(unconfirming())),
        });
        if let Some(message) = confirmation.take_message() {
            let id = message.delivery.properties.message_id().as_ref().map(ToString::to_string);
            returned.insert(id.unwrap_or_default());
        }
    }
    for (answer, envelope) in answers.iter_mut().zip(batch) {
        if returned.contains(envelope.message_id()) {
            *answer = Err(PublishError::Unroutable(envelope.exchange.clone()));
        }
    }
    Ok(answers)
}

/// A channel that the broker closed in the middle of a batch says why on an earlier confirm only.
async fn why_closed(
    confirms: Vec<impl Future<Output = lapin::Result<Confirmation>>>,
    batch: &[&Envelope],
    otherwise: BatchError,
) -> BatchError {
    for (confirm, envelope) in confirms.into_iter().zip(batch) {
        if let Err(error) = confirm.await
            && let error @ (BatchError::NoExchange(_) | BatchError::Refused(_)) = BatchError::of(&error, envelope)
        {
            return error;
        }
    }
    otherwise
}

fn unconfirming() -> Failure {
    Failure::new(Kind::Dependency, "amqp_no_confirms", "the channel is not in confirm mode")
}

/// What went wrong with a whole batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BatchError {
    #[error("publishers are blocked")]
    Blocked,
    #[error("exchange `{0}` is missing")]
    NoExchange(String),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl BatchError {
    /// What an error means for its message, and therefore for its batch.
    fn of(error: &lapin::Error, envelope: &Envelope) -> Self {
        // A missing exchange closes the channel and so fails every confirm on it.
        if is_unroutable_channel_error(error) {
            return Self::NoExchange(envelope.exchange.clone());
        }
        match classify(error) {
            // What the broker says of a message that is larger than its `max_message_size`; it closes the channel.
            Failure { code, message, .. } if code == "amqp_406" => Self::Refused(message),
            failure => Self::Failed(failure),
        }
    }
}
