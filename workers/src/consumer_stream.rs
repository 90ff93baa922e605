//! The stream of one consumer's deliveries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use sluice_rabbit::delivery::Deliveries;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::handler::Handler;

/// How long the first consumer of a session waits for a redelivered post. A post that kills workers does so at once.
const QUIET: Duration = Duration::from_millis(300);

/// One consumer, with as many deliveries at once as the broker allows. Returns how many there were.
///
/// The end of its stream is sent to `ended` at once: deliveries in flight may be waiting for something that only a new
/// session brings. So the stream is polled while they wait, and has no limit of our own that would prevent that.
pub(crate) async fn consume(
    stream: Deliveries,
    handler: Arc<Handler>,
    withdrawn: CancellationToken,
    ended: mpsc::Sender<String>,
    arrived: Option<mpsc::UnboundedSender<u64>>,
) -> u64 {
    let mut consumed = 0;
    let (handler, withdrawn) = (&handler, &withdrawn);
    stream
        .map(Some)
        .chain(futures_util::stream::iter([None]))
        .filter_map(|next| {
            let why = match next {
                Some(Ok(delivery)) => {
                    consumed += 1;
                    // The receiver is closed after the beginning of a session.
                    let _ = arrived.as_ref().map(|arrived| arrived.send(delivery.redeliveries()));
                    return std::future::ready(Some(delivery));
                }
                Some(Err(failure)) => failure.message,
                None => "the broker cancelled a consumer".to_owned(),
            };
            // If it is full, another consumer has ended first.
            let _ = ended.try_send(why);
            std::future::ready(None)
        })
        .for_each_concurrent(None, |delivery| handler.handle(delivery, withdrawn))
        .await;
    consumed
}

/// Waits for a post that was not redelivered, or until none came for [`QUIET`].
pub(crate) async fn returned_are_taken(arrivals: &mut mpsc::UnboundedReceiver<u64>) {
    while let Ok(Some(1..)) = tokio::time::timeout(QUIET, arrivals.recv()).await {}
}
