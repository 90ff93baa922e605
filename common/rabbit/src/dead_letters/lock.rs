//! The lock of whoever browses the dead letters: an exclusive queue, which the broker deletes when its owner's
//! connection ends.

use std::sync::Arc;
use std::time::Duration;

use deadpool_lapin::lapin;
use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::time::Instant;

use super::error::BrowseError;
use crate::broker::{Broker, Valve, bounded, close};
use crate::topology::Topology;

/// The longest wait for one answer of the broker.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How often a waiting browser asks for its lock.
const POLL: Duration = Duration::from_millis(200);

/// The lock. While it is held nobody else browses, replays, drops or edits the dead letters.
pub struct BrowserLock {
    pub(super) connection: Connection,
}

impl BrowserLock {
    /// Waits for it at most `patience`, on a connection of its own. `on_wait` is called once if there is a wait.
    pub(super) async fn take(
        broker: &Broker,
        topology: &Topology,
        valve: &Arc<Valve>,
        patience: Duration,
        on_wait: impl FnOnce(),
    ) -> Result<Self, BrowseError> {
        let connection = broker.connect_with(valve).await?;
        let begun = Instant::now();
        let mut on_wait = Some(on_wait);
        loop {
            // A refusal closes the channel, so each try has its own.
            let channel = bounded("opening a channel", TIMEOUT, connection.create_channel())
                .await
                .map_err(|failure| broker.with_context(failure))?;
            let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
            let declare = channel.queue_declare(topology.browser_lock().into(), options, FieldTable::default());
            match bounded("asking for the lock", TIMEOUT, declare).await {
                Ok(_) => return Ok(Self { connection }),
                Err(failure) if failure.code == "amqp_405" => {}
                Err(failure) => return Err(broker.with_context(failure).into()),
            }
            if begun.elapsed() > patience {
                return Err(BrowseError::Busy { queue: topology.dead_letter_queue(), waited: begun.elapsed() });
            }
            if let Some(on_wait) = on_wait.take() {
                on_wait();
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Gives it up.
    pub async fn end(self) {
        close(&self.connection).await;
    }
}
