//! One worker process: puts the parts together, and takes them apart at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use common::broker::{Broker, close};
use common::exit::Exit;
use common::failure::{Failure, Kind};
use common::publisher::Publisher;
use common::review::RuleSet;
use common::shutdown::{ENDED_AT_ONCE, Shutdown};
use common::store::Store;
use common::topology::{Topology, TopologyError};
use common::vitals::{self, Metrics};
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::cli::RunArgs;
use crate::consumer::Consumers;
use crate::gate::{Gate, Probe};
use crate::handler::Handler;
use crate::recorder::Recorder;
use crate::supervisor;

/// The longest wait for a dead letter's confirm. Nobody stands waiting for it, and too short a wait makes duplicates.
const DEAD_LETTER_PATIENCE: Duration = Duration::from_secs(10);

/// `sluice-worker run`.
///
/// # Errors
/// What makes it useless to begin: a wrong setting, rules that cannot be read, queues that are declared differently,
/// refused credentials, a missing database. That a server is away is no such reason.
pub async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    args.check()?;
    let shutdown = Shutdown::listen().context("cannot listen for signals")?;
    let rules = match &args.rules {
        Some(file) => RuleSet::load(file)?,
        None => RuleSet::builtin(),
    };
    let name = args.base_name();
    let broker = Broker::new(&args.broker, format!("sluice-worker {name}"))?;
    let topology = Topology::new(&args.broker);
    let store = Arc::new(Store::new(&args.database)?);
    // Before anything counts: the gate may be closed at once.
    let metrics =
        args.listen.map(|address| Metrics::install("sluice-worker").map(|metrics| (address, metrics))).transpose()?;
    let gate = Arc::new(Gate::default());
    let mut probe = Probe::new(Arc::clone(&store), Arc::clone(&gate), args.migrate);
    tokio::try_join!(check_broker(&broker, &topology), check_database(&mut probe, &gate))?;
    if args.processes > 1 {
        store.close().await;
        return supervisor::run(&args, shutdown).await;
    }
    if args.watched {
        end_with_the_pipe(shutdown.orderly.clone());
    }
    let handler = Handler {
        worker: name.clone(),
        rules: Arc::new(rules),
        recorder: Recorder::start(Arc::clone(&store), name.clone()),
        gate: Arc::clone(&gate),
        retry: args.retry(),
        max_deliveries: args.max_deliveries,
        topology: topology.clone(),
        dead_letters: Publisher::new(&broker, DEAD_LETTER_PATIENCE)?,
    };
    let consumers = Consumers {
        broker,
        topology,
        handler: Arc::new(handler),
        gate,
        consumers: args.concurrency,
        prefetch: args.prefetch,
        hold: args.hold,
        drain: args.drain,
        tag: name.clone(),
        consuming: Arc::default(),
    };
    let vitals = match metrics {
        Some((address, metrics)) => Some(Vitals::prepare(address, metrics, &consumers).await?),
        None => None,
    };
    work(consumers, probe, vitals, &store, shutdown).instrument(tracing::info_span!("process", worker = name)).await;
    Ok(Exit::Done)
}

/// Consumes until told to stop.
async fn work(consumers: Consumers, probe: Probe, vitals: Option<Vitals>, store: &Store, shutdown: Shutdown) {
    tracing::info!(database = store.at(), rules = consumers.handler.rules.id(), "started");
    let end = CancellationToken::new();
    let probing = tokio::spawn(probe.run(end.clone()).in_current_span());
    if let Some(vitals) = vitals {
        tokio::spawn(vitals.serve(end.clone()).in_current_span());
    }
    tokio::select! {
        () = consumers.run(shutdown.orderly.clone()) => {}
        () = shutdown.at_once.cancelled() => std::process::exit(ENDED_AT_ONCE),
    }
    end.cancel();
    let _ = probing.await;
    store.close().await;
    tracing::info!("stopped");
}

/// The worker's signs of life over HTTP.
struct Vitals {
    listener: TcpListener,
    routes: Router,
}

impl Vitals {
    /// Takes the port. A worker is ready when it consumes and can store.
    async fn prepare(address: SocketAddr, metrics: Metrics, consumers: &Consumers) -> anyhow::Result<Self> {
        describe(&consumers.gate);
        let listener = vitals::bind(address, "SLUICE_WORKER_LISTEN or --listen").await?;
        tracing::info!(address = %listener.local_addr()?, "signs of life: /healthz, /readyz, /metrics");
        let (gate, consuming) = (Arc::clone(&consumers.gate), Arc::clone(&consumers.consuming));
        let ready = move || {
            let answer = match gate.pause() {
                Some(pause) => {
                    let since = pause.since.format(&Rfc3339).unwrap_or_default();
                    Err(format!("paused: {} since {since}: {}", pause.dependency, pause.failure.message))
                }
                None if consuming.load(Ordering::Relaxed) => Ok(()),
                None => Err("there is no session with RabbitMQ".to_owned()),
            };
            std::future::ready(answer)
        };
        Ok(Self { listener, routes: vitals::routes(metrics, ready) })
    }

    async fn serve(self, end: CancellationToken) {
        if let Err(error) = vitals::serve(self.listener, self.routes, end, Duration::ZERO).await {
            tracing::error!(%error, "the signs of life are no longer served");
        }
    }
}

/// What the numbers on `/metrics` mean, and where they begin.
fn describe(gate: &Gate) {
    metrics::describe_gauge!("sluice_worker_paused", "1 while the dependency is away and nothing is stored");
    metrics::describe_gauge!("sluice_worker_consuming", "1 while there is a session with RabbitMQ");
    metrics::describe_counter!(
        "sluice_posts_recorded_total",
        "Posts found in MySQL at the end of an attempt, by result"
    );
    metrics::describe_counter!(
        "sluice_posts_reviewed_total",
        "Reviews by verdict; a post that is tried again counts again"
    );
    metrics::describe_counter!("sluice_deliveries_settled_total", "Answers to the broker, by settlement");
    metrics::describe_counter!("sluice_attempts_failed_total", "Failed attempts that will be made again, by code");
    metrics::describe_histogram!("sluice_group_rows", "Rows of one insert");
    metrics::describe_histogram!("sluice_post_age_seconds", "From the front door to the row");
    metrics::gauge!("sluice_worker_consuming").set(0.0);
    metrics::gauge!("sluice_worker_paused", "dependency" => "mysql").set(u8::from(gate.pause().is_some()));
}

/// Queues that are declared differently and refused credentials end it; a broker that is away is waited for later.
async fn check_broker(broker: &Broker, topology: &Topology) -> anyhow::Result<()> {
    let connection = match broker.connect().await {
        Ok(connection) => connection,
        Err(error) if error.needs_operator() => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "waiting for RabbitMQ");
            return Ok(());
        }
    };
    let declared = topology.declare(&connection).await;
    close(&connection).await;
    match declared {
        Err(drift @ TopologyError::Drift(_)) => Err(drift.into()),
        Err(TopologyError::Failed(failure)) if failure.kind == Kind::Operator => Err(broker.blame(failure).into()),
        Err(error) => {
            tracing::warn!(%error, "waiting for RabbitMQ");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A missing database or permission ends it; a server that is away closes the gate, and the probe sees to the rest.
async fn check_database(probe: &mut Probe, gate: &Gate) -> anyhow::Result<()> {
    match probe.prepare().await {
        Ok(()) => Ok(()),
        Err(error) if error.is_outage() => {
            gate.close(Failure::new(Kind::Dependency, "mysql_unreachable", error.to_string()));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Stops in an orderly way when the process that watches over us closes its end, or is gone. A thread of its own: the
/// runtime would wait at its end for a read that nothing interrupts.
fn end_with_the_pipe(stop: CancellationToken) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        stop.cancel();
    });
}
