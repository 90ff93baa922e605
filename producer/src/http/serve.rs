//! The HTTP API: its start and its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use sluice_runtime::exit::Exit;
use sluice_runtime::health::{self, Metrics};
use sluice_runtime::shutdown::Hangups;
use sluice_traces::Tracer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::http::app::{App, Parts};
use crate::http::meters::Meters;
use crate::http::watch::Watch;
use crate::memory::Memory;
use crate::receipts::ReceiptLog;
use crate::senders::Senders;
use crate::topology_status::{self, DeclareError, TopologyStatus};

/// How long a request waits for the broker's confirm before it gets a 503.
const CONFIRM_WITHIN: Duration = Duration::from_secs(2);
/// How long the start waits for the first try at declaring the queues, so that a program with a working broker never
/// answers 503, and one with a misconfigured broker exits instead of serving.
const FIRST_TRY: Duration = Duration::from_secs(2);
/// The connections that may be open on a port for health alone.
const SUPERVISORS: usize = 256;
/// How long requests in progress may take to finish after the stop signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop`; at each hangup, the file of receipts is opened again.
///
/// # Errors
/// When a setting is wrong, the port is in use, the broker refuses the credentials, or its queues are declared
/// differently. An unreachable broker is not an error: posts get 503 until it is reachable.
pub async fn run(args: &Serve, hangups: Hangups, stop: CancellationToken) -> anyhow::Result<Exit> {
    let broker = Broker::new(&args.broker, "sluice-producer serve")?;
    let topology = Topology::new(&args.broker);
    args.check()?;
    let metrics = Metrics::install("sluice-producer")?;
    let (tracer, exporting) = Tracer::start("sluice-producer", None)?;
    let (receipts, written) = args.receipts.as_deref().map(ReceiptLog::open).transpose()?.unzip();
    let receipts = receipts.map(Arc::new);
    let most = health::room_for(args.max_connections, "SLUICE_MAX_CONNECTIONS");
    let memory = Memory::new(args.memory);
    let senders = args.senders.as_deref().map(|file| Senders::follow(file, most, &memory)).transpose()?.map(Arc::new);
    let listener = health::bind(args.listen, "--listen or SLUICE_LISTEN").await?;
    let listen = listener.local_addr().context("cannot read the listening port")?;
    let apart = match args.health_listen {
        Some(address) => Some(health::bind(address, "--health-listen or SLUICE_HEALTH_LISTEN").await?),
        None => None,
    };

    let (changing, topology_status) = watch::channel(first_try(&broker, &topology).await?);
    let publisher = Publisher::new(&broker.lean(), &topology, CONFIRM_WITHIN)?;
    let (watch, reports) = Watch::new(broker.clone(), topology.clone(), publisher.clone(), changing);
    tokio::spawn(watch.keep());

    let named = senders.as_ref().map(|senders| senders.now().count());
    tracing::info!(%listen, rabbitmq = broker.at(), exchange = topology.exchange(), senders = named, "serving");
    if args.open && !args.listen.ip().is_loopback() {
        tracing::warn!(%listen, "--open: anybody who reaches this address may post");
    }
    if let Some(senders) = &senders {
        tokio::spawn(Arc::clone(senders).follow(stop.clone()));
    }
    tokio::spawn(reopen(hangups, receipts.clone()));
    let app = App(Arc::new(Parts {
        publisher,
        topology,
        topology_status,
        reports,
        meters: Meters::new(),
        memory,
        receipts: receipts.clone(),
        senders,
        tracer,
        max_body: args.max_body,
        max_batch: args.max_batch,
    }));
    let end = CancellationToken::new();
    let health = match apart {
        Some(port) => {
            let health = port.local_addr().context("cannot read the port for health")?;
            tracing::info!(%health, "serving /healthz, /readyz and /metrics");
            let most = health::room_for(SUPERVISORS, "the port for health");
            tokio::spawn(health::serve(port, app.health(metrics), most, end.clone(), Duration::ZERO));
            health::alive()
        }
        None => app.health(metrics),
    };
    health::serve(listener, app.routes(health), most, stop, GRACE).await;
    end.cancel();
    exporting.close().await;
    if let (Some(receipts), Some(written)) = (receipts, written) {
        receipts.close(written).await;
    }
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// Opens the file of receipts again at each hangup.
async fn reopen(mut hangups: Hangups, receipts: Option<Arc<ReceiptLog>>) {
    let Some(receipts) = receipts else { return hangups.decline().await };
    while hangups.next().await {
        receipts.reopen();
        tracing::info!(signal = "SIGHUP", "the file of receipts is opened again");
    }
}

/// The state of the declaration at the start.
async fn first_try(broker: &Broker, topology: &Topology) -> Result<TopologyStatus, DeclareError> {
    let Ok(declared) = tokio::time::timeout(FIRST_TRY, topology_status::declare(broker, topology)).await else {
        tracing::warn!(rabbitmq = broker.at(), "no answer within {FIRST_TRY:?}; no posts are accepted yet; retrying");
        return Ok(TopologyStatus::Trying);
    };
    match declared {
        Ok(()) => Ok(TopologyStatus::Declared),
        Err(error) if error.needs_operator() => Err(error),
        Err(error) => {
            error.log();
            Ok(TopologyStatus::Refused(error))
        }
    }
}
