//! A channel in confirm mode, and how the pool makes it on shared connections.

use std::time::{Duration, Instant};

use deadpool::managed;
use deadpool_lapin::lapin::options::ConfirmSelectOptions;
use deadpool_lapin::lapin::{Channel, Connection, ConnectionStatus};
use scopeguard::ScopeGuard;

use super::batch::BatchError;
use super::size::header_frame;
use super::{Envelope, PublishError};
use crate::broker::{Broker, bounded, close};

/// A channel in confirm mode.
pub(super) struct ConfirmChannel {
    pub(super) channel: Channel,
    pub(super) connection: ConnectionStatus,
    /// When its connection was opened, which identifies the connection.
    pub(super) opened: Instant,
    /// The largest frame that may be sent on it.
    frame_max: usize,
    /// Nothing is outstanding on it, so that it can be used again.
    pub(super) fit: bool,
}

impl ConfirmChannel {
    /// Whether a message is too large to be sent on it: the broker would close the connection.
    pub(super) fn oversized(&self, envelope: &Envelope) -> Option<PublishError> {
        let (bytes, most) = (header_frame(&envelope.properties), self.frame_max);
        (bytes > most).then_some(PublishError::Oversized { bytes, most })
    }
}

/// Makes confirm channels on pooled connections, and drops those that are not fit for another use.
pub(super) struct ConfirmChannels {
    pub(super) broker: Broker,
    pub(super) connections: deadpool_lapin::Pool,
    pub(super) patience: Duration,
}

impl ConfirmChannels {
    /// Whether an alarm has blocked one of the connections. An alarm concerns all of them, but the broker notifies each
    /// only once it publishes.
    pub(super) fn is_blocked(&self) -> bool {
        let mut blocked = false;
        self.connections.retain(|connection, _| {
            blocked |= connection.status().connected() && connection.status().blocked();
            true
        });
        blocked
    }

    /// A connection that is not blocked, as far as is known.
    pub(super) async fn connection(&self) -> Result<OnTrial, BatchError> {
        let connection = self.broker.pooled(&self.connections).await?;
        // On a blocked connection, opening a channel would hang until the end of the alarm.
        if connection.status().blocked() {
            return Err(BatchError::Blocked);
        }
        let patience = self.patience;
        let give_up: GiveUp = Box::new(move |silent| {
            // A blocked connection answers again after the alarm.
            if !silent.status().blocked() {
                leave(deadpool_lapin::Object::take(silent), patience);
            }
        });
        Ok(scopeguard::guard(connection, give_up))
    }
}

/// A connection that goes back to the pool only once it has answered, so that nobody waits again for a silent one.
pub(super) type OnTrial = ScopeGuard<deadpool_lapin::Object, GiveUp>;
type GiveUp = Box<dyn FnOnce(deadpool_lapin::Object) + Send>;

pub(super) fn proven(connection: OnTrial) {
    drop(ScopeGuard::into_inner(connection));
}

/// Closes a connection once everything under way on it has ended or timed out. Dropping it is not enough: a channel
/// whose close is not answered keeps it open, for as long as there are heartbeats.
pub(super) fn leave(silent: Connection, patience: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        close(&silent).await;
    });
}

impl managed::Manager for ConfirmChannels {
    type Type = ConfirmChannel;
    type Error = BatchError;

    async fn create(&self) -> Result<ConfirmChannel, BatchError> {
        let connection = self.connection().await?;
        let channel = bounded("opening a channel", self.patience, connection.create_channel()).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        bounded("enabling confirms", self.patience, select).await?;
        let (status, opened) = (connection.status().clone(), deadpool_lapin::Object::metrics(&connection).created);
        let frame_max = usize::try_from(connection.configuration().frame_max()).unwrap_or(usize::MAX);
        proven(connection);
        Ok(ConfirmChannel { channel, connection: status, opened, frame_max, fit: true })
    }

    async fn recycle(&self, used: &mut ConfirmChannel, _: &managed::Metrics) -> managed::RecycleResult<BatchError> {
        if used.fit && used.connection.connected() && used.channel.status().connected() {
            Ok(())
        } else {
            Err(managed::RecycleError::message("closed, or with a publish in progress"))
        }
    }
}
