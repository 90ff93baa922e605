//! Connections to RabbitMQ, made in bounded time or not at all.
//!
//! The library's own recovery is never switched on: with it, confirms hang for the whole of an outage and consumers
//! stop receiving without an error. Without it everything fails at once, and the owner of a session builds a new one.
//! Each await of the library is `bounded`, because a frozen broker never answers.
//!
//! Below the library is a transport of our own, because strangers may send what the library cannot read:
//!
//! ```text
//!  lapin ◄── Wire ◄── TLS, if any ◄── TCP        made by Dial, to the next of the Nodes
//!             │
//!             ├ Valve      how much is read ahead, where that is bounded
//!             ├ Inbound    where frames begin and end; frame::clean makes each of them readable
//!             └ Outbound   whether the end of the connection was requested: from then on the wait is bounded
//! ```

mod dial;
mod endpoint;
mod error;
pub mod frame;
pub mod inbound;
mod nodes;
mod outbound;
mod valve;
mod wire;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::Timeouts;
use deadpool_lapin::lapin::{Connection, ConnectionProperties};

use self::dial::Dial;
use self::endpoint::Endpoint;
pub use self::error::BrokerError;
pub(crate) use self::valve::Valve;
use crate::failure::classify;
use sluice_core::config::{BrokerArgs, ConfigError};
use sluice_core::failure::{Failure, Kind};

/// The longest wait for a connection to one node.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A broker, and our name there.
#[derive(Debug, Clone)]
pub struct Broker {
    endpoint: Endpoint,
    /// The connection's name in RabbitMQ's list of connections.
    name: String,
}

impl Broker {
    /// The broker that the settings name.
    ///
    /// # Errors
    /// When `AMQP_URL` is not the address of a broker.
    pub fn new(args: &BrokerArgs, name: impl Into<String>) -> Result<Self, ConfigError> {
        Ok(Self { endpoint: Endpoint::read(args)?, name: name.into() })
    }

    /// Host and port; of several nodes, of each, separated by commas.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.endpoint.at
    }

    /// The same broker, under another name, for another purpose than posts.
    #[must_use]
    pub(crate) fn apart(&self, purpose: &str) -> Self {
        Self { name: format!("{} {purpose}", self.name), ..self.lean() }
    }

    /// The same broker, for our own messages only. A connection's buffers are 64 frames long: with the smaller frames
    /// that suffice here 1 MiB instead of 8. Strangers' headers may need larger ones, since those of a message have to
    /// fit in one frame.
    #[must_use]
    pub fn lean(&self) -> Self {
        Self { endpoint: self.endpoint.lean(), name: self.name.clone() }
    }

    /// A new connection to the first node that answers, or the reason why there is none: within [`CONNECT_TIMEOUT`] for
    /// each of them.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub async fn connect(&self) -> Result<Connection, BrokerError> {
        self.connect_by(None).await
    }

    /// The same, with a bound on what is read before it is taken.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub(crate) async fn connect_with(&self, valve: &Arc<Valve>) -> Result<Connection, BrokerError> {
        self.connect_by(Some(Arc::clone(valve))).await
    }

    async fn connect_by(&self, valve: Option<Arc<Valve>>) -> Result<Connection, BrokerError> {
        let runtime = Dial::runtime(&self.endpoint, valve);
        let mut round = self.endpoint.nodes.round().await.map_err(|failure| self.with_context(failure))?;
        loop {
            let (url, runtime) = (self.endpoint.url.expose(), runtime.clone());
            let connect = Connection::connect_with_runtime(url, self.properties(), runtime);
            match bounded("connecting", round.limit, connect).await {
                Ok(connection) => {
                    round.answered();
                    return Ok(connection);
                }
                Err(failure) => {
                    if let Some(failure) = round.failed(failure) {
                        return Err(self.with_context(failure));
                    }
                }
            }
        }
    }

    /// A pool of connections for publishing. Each consumer has its own connection.
    ///
    /// # Errors
    /// When the pool finds no runtime to work on.
    pub(crate) fn pool(&self, connections: usize) -> Result<deadpool_lapin::Pool, BrokerError> {
        let runtime = Dial::runtime(&self.endpoint, None);
        let (broker, url) = (self.clone(), self.endpoint.url.expose());
        let manager = deadpool_lapin::Manager::new(url, move || broker.properties(), runtime);
        deadpool_lapin::Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool_lapin::Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .build()
            .map_err(|error| self.with_context(Failure::new(Kind::Dependency, "amqp_pool", error.to_string())))
    }

    /// A connection of such a pool, on whichever node answers.
    pub(crate) async fn pooled(&self, pool: &deadpool_lapin::Pool) -> Result<deadpool_lapin::Object, Failure> {
        let mut round = self.endpoint.nodes.round().await?;
        loop {
            let failure = match pool.timeout_get(&Timeouts { create: Some(round.limit), ..pool.timeouts() }).await {
                Ok(connection) => {
                    round.answered();
                    return Ok(connection);
                }
                Err(deadpool_lapin::PoolError::Backend(error)) => classify(&error),
                Err(other) => Failure::new(Kind::Dependency, "amqp_timeout", other.to_string()),
            };
            if let Some(failure) = round.failed(failure) {
                return Err(failure);
            }
        }
    }

    fn properties(&self) -> ConnectionProperties {
        ConnectionProperties::default().with_connection_name(self.name.as_str().into())
    }

    /// Adds to a failure where it happened and what to do.
    #[must_use]
    pub fn with_context(&self, failure: Failure) -> BrokerError {
        BrokerError { at: self.at().to_owned(), failure }
    }
}

/// Waits for the library, at most so long.
///
/// # Errors
/// The library's error, classified, or a timeout, after which the call may still succeed.
pub(crate) async fn bounded<T>(
    what: &str,
    limit: Duration,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| classify(&error)),
        Err(_) => Err(Failure::timed_out("amqp", what, limit)),
    }
}

/// Closes a connection, waiting at most a second: `close` hangs on a frozen broker, and what was in flight goes back to
/// the queue either way.
pub async fn close(connection: &Connection) {
    let _ = bounded("closing the connection", Duration::from_secs(1), connection.close(200, "done".into())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_and_no_debug_form_shows_the_password() {
        let (amqp_url, prefix) = ("amqp://me:hunter2@h/%2f".into(), "post".parse().expect("a prefix"));
        let broker = Broker::new(&BrokerArgs { amqp_url, prefix, max_length: None }, "test").expect("a good address");
        let error = broker.with_context(Failure::new(Kind::Operator, "amqp_403", "ACCESS_REFUSED"));
        assert!(!format!("{broker:?} {error} {error:?}").contains("hunter2"));
    }
}
