//! The sender of decisions: from the outbox to every endpoint, at least once, those of one post in order.
//!
//! ```text
//!  numbering   events get their places in the feed, after the delay
//!  dispatch    one task an endpoint: due deliveries, under a lease ──► sink ──► webhook, or exchange
//!  meters      what waits, and since when
//! ```

mod client;
mod dispatch;
mod endpoint;
mod meters;
mod numbering;
mod outage;
mod signature;
mod sink;
mod waits;

pub(super) use endpoint::{Endpoint, read as read_endpoints};
pub(super) use waits::Waits;

use std::sync::Arc;
use std::time::Duration;

use sluice_core::config::BrokerArgs;
use sluice_mysql::Store;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use client::Poster;
use dispatch::Dispatch;
use endpoint::Target;
use sink::Sink;

/// The longest wait for a confirm of the broker.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// What the sender is started with.
pub(super) struct Sender {
    /// Where the outbox is.
    pub(super) store: Arc<Store>,
    /// Where decisions are sent.
    pub(super) endpoints: Vec<Endpoint>,
    /// How old an event has to be to be told.
    pub(super) delay: time::Duration,
    /// The waits after tries that failed.
    pub(super) waits: Waits,
}

impl Sender {
    /// Starts all tasks; they end with `stop`. Gives how far the feed has come, now and from now on.
    ///
    /// # Errors
    /// When an address cannot be sent to, or the broker's settings are wrong. Nobody is asked yet.
    pub(super) fn start(
        self,
        broker: &BrokerArgs,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<watch::Receiver<u64>> {
        meters::describe();
        let is_https = |endpoint: &Endpoint| match &endpoint.target {
            Target::Webhook { url, .. } => url.expose().scheme_str() == Some("https"),
            Target::Exchange => false,
        };
        let poster = Poster::new(self.endpoints.iter().any(is_https))?;
        let (waits, owner) = (Arc::new(self.waits), Uuid::now_v7());
        for Endpoint { name, target } in self.endpoints {
            let sink = match target {
                Target::Webhook { url, secrets } => Sink::Webhook { poster: poster.clone(), url, secrets },
                Target::Exchange => {
                    let (topology, broker) = (Topology::new(broker), Broker::new(broker, "sluice console")?);
                    let publisher = Publisher::new(&broker, &topology, CONFIRM_WITHIN)?;
                    Sink::Exchange { publisher, broker, topology }
                }
            };
            let dispatch = Dispatch::new(Arc::clone(&self.store), name, sink, Arc::clone(&waits), owner);
            tasks.spawn(dispatch.run(stop.clone()));
        }
        let (last, feed) = watch::channel(0);
        tasks.spawn(numbering::run(Arc::clone(&self.store), self.delay, last, stop.clone()));
        tasks.spawn(meters::keep(self.store, stop.clone()));
        Ok(feed)
    }
}
