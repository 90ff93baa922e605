//! The lengths of both queues, read over a separate connection, so that a broken one does not affect other queries.

use sluice_core::failure::Failure;
use sluice_rabbit::broker::{Broker, BrokerError, close};
use sluice_rabbit::topology::{Depth, Topology};

/// Both queues.
#[derive(Debug, Clone, Copy)]
pub struct Depths {
    /// Posts waiting for workers.
    pub posts: Depth,
    /// Dead letters.
    pub dead: Depth,
}

/// Why they are unknown.
#[derive(Debug, thiserror::Error)]
pub enum DepthError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// They were never declared.
    #[error("{0}; is SLUICE_PREFIX right? `sluice topology apply` declares the queues")]
    NoQueue(String),
}

impl Depths {
    /// Asks.
    ///
    /// # Errors
    /// [`DepthError`].
    pub async fn ask(broker: &Broker, topology: &Topology) -> Result<Self, DepthError> {
        let connection = broker.connect().await?;
        let asked = async {
            let posts = topology.queue_depth(&connection).await?;
            posts.check_leader(broker, &topology.queue()).await?;
            // Whether the dead letters have one is found by whoever browses them: asking could change their order.
            Ok(Self { posts, dead: topology.dead_letter_depth(&connection).await? })
        }
        .await;
        close(&connection).await;
        asked.map_err(|failure: Failure| match failure.code.as_str() {
            "amqp_404" => DepthError::NoQueue(failure.message),
            _ => broker.with_context(failure).into(),
        })
    }
}
