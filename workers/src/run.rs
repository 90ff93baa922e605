//! One worker process: starts its parts, and stops them at the end.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sluice_core::failure::{Failure, Kind};
use sluice_mysql::Store;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::{Topology, TopologyError};
use sluice_rabbit::worker_status;
use sluice_review::reviewer::Reviewer;
use sluice_review::{Judge, RuleSet, Scorer};
use sluice_runtime::exit::Exit;
use sluice_runtime::health::Metrics;
use sluice_runtime::shutdown::{ENDED_AT_ONCE, Shutdown};
use sluice_traces::Tracer;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::activity::Activity;
use crate::authors::Authors;
use crate::cli::RunArgs;
use crate::consumer::Consumers;
use crate::copies::Copies;
use crate::gate::{Gate, Probe};
use crate::handler::Handler;
use crate::health::Health;
use crate::large::Large;
use crate::recorder::Recorder;
use crate::rules::{Calls, Followed, Part, Reload, Rules};
use crate::supervisor;
use crate::worker_status::StatusSource;

/// The longest wait for a dead letter's confirm. Nothing depends on it being fast, and a short timeout creates
/// duplicates.
const DEAD_LETTER_PATIENCE: Duration = Duration::from_secs(10);

/// `sluice-worker run`.
///
/// # Errors
/// What must be fixed by an operator: a wrong setting, rules that cannot be read, queues that are declared differently,
/// refused credentials, a missing database. A server that is down is not an error.
pub async fn run(args: RunArgs) -> anyhow::Result<Exit> {
    args.check()?;
    let shutdown = Shutdown::listen().context("cannot listen for signals")?;
    let calls = Calls::listen().context("cannot listen for SIGHUP")?;
    let reviewer = args.reviewer.settings()?;
    let (judge, files) = first_rules(&args)?;
    let name = args.base_name();
    let broker = Broker::new(&args.broker, format!("sluice-worker {name}"))?;
    let topology = Topology::new(&args.broker);
    let store = Arc::new(Store::new(&args.database)?);
    // Before any metric is counted, because the gate may be closed immediately.
    let metrics =
        args.listen.map(|address| Metrics::install("sluice-worker").map(|metrics| (address, metrics))).transpose()?;
    let reviewer = reviewer.map(Reviewer::new).transpose()?;
    let gate = Arc::new(Gate::default());
    let mut probe = Probe::new(Arc::clone(&store), Arc::clone(&gate), args.migrate);
    let check = async { tokio::try_join!(check_broker(&broker, &topology), check_database(&mut probe, &gate)) };
    tokio::select! {
        checked = check => drop(checked?),
        () = shutdown.orderly.cancelled() => return Ok(Exit::Done),
    }
    if args.processes > 1 {
        store.close().await;
        return supervisor::run(&args, shutdown, &calls).await;
    }
    if args.watched {
        obey_the_pipe(shutdown.orderly.clone(), calls.clone());
    }
    let rules = Arc::new(Rules::new(judge));
    let reload = Reload { files, rules: Arc::clone(&rules), max_shift: args.reload_max_shift, calls: calls.heard() };
    let status = StatusSource {
        worker: name.clone(),
        rules: Arc::clone(&rules),
        reviewer: reviewer.clone(),
        started_at: OffsetDateTime::now_utc(),
        gate: Arc::clone(&gate),
        consuming: Arc::default(),
        consumers: args.concurrency,
        in_flight: Arc::default(),
        settled: Arc::default(),
        stop: shutdown.orderly.clone(),
    };
    let end = CancellationToken::new();
    let copies = Copies::new(&args.copies).map(|(copies, sharing)| {
        let (copies, process) = (Arc::new(copies), tracing::info_span!("process", worker = name));
        let sharing = sharing.run(Arc::clone(&copies), broker.clone(), topology.clone(), end.clone());
        tokio::spawn(sharing.instrument(process));
        copies
    });
    let authors = Authors::new(&args.strangers, &store).map(|(authors, noting)| {
        tokio::spawn(noting.run(Arc::clone(&authors), end.clone()));
        authors
    });
    let (tracer, exporting) = Tracer::start("sluice-worker", Some(&name))?;
    let (activity, log) = Activity::new(Arc::clone(&status.in_flight));
    let handler = Handler {
        worker: name.clone(),
        rules,
        reviewer,
        authors,
        copies,
        recorder: Recorder::start(Arc::clone(&store), name.clone()),
        gate: Arc::clone(&gate),
        in_flight: Arc::clone(&status.in_flight),
        settled: Arc::clone(&status.settled),
        activity,
        tracer,
        large: Large::default(),
        retry: args.retry(),
        max_deliveries: args.max_deliveries,
        topology: topology.clone(),
        dead_letters: Publisher::new(&broker, &topology, DEAD_LETTER_PATIENCE)?,
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
        consuming: Arc::clone(&status.consuming),
    };
    let health = match metrics {
        Some((address, metrics)) => Some(Health::prepare(address, metrics, status.clone()).await?),
        None => None,
    };
    let process = tracing::info_span!("process", worker = name);
    let logging = tokio::spawn(log.run(end.clone()).instrument(process.clone()));
    work(consumers, status, probe, reload, health, &store, shutdown).instrument(process.clone()).await;
    end.cancel();
    let _ = logging.await;
    exporting.close().await;
    process.in_scope(|| tracing::info!("stopped"));
    Ok(Exit::Done)
}

/// Consumes until stopped.
async fn work(
    consumers: Consumers,
    status: StatusSource,
    probe: Probe,
    reload: Reload,
    health: Option<Health>,
    store: &Store,
    shutdown: Shutdown,
) {
    tracing::info!(database = store.at(), rules = status.rules.active().judge.id(), "started");
    let (end, gate) = (CancellationToken::new(), Arc::clone(&consumers.gate));
    tokio::spawn(answer_worker_status_requests(&consumers, status, end.clone()).in_current_span());
    tokio::spawn(reload.run(end.clone()).in_current_span());
    let probing = tokio::spawn(probe.run(end.clone()).in_current_span());
    if let Some(health) = health {
        tokio::spawn(health.serve(end.clone()).in_current_span());
    }
    tokio::select! {
        () = consumers.run(shutdown.orderly.clone()) => {}
        () = shutdown.at_once.cancelled() => std::process::exit(ENDED_AT_ONCE),
    }
    end.cancel();
    let _ = probing.await;
    if gate.pause().is_none() {
        // Closing a server that is down would only wait.
        store.close().await;
    }
}

/// The rules and the scorer to begin with, and the files that they were read from.
fn first_rules(args: &RunArgs) -> anyhow::Result<(Judge, Vec<Followed>)> {
    let follow = |part, file: &Option<PathBuf>| file.as_deref().map(|file| Followed::new(part, file));
    let files = [follow(Part::Rules, &args.rules), follow(Part::Scorer, &args.scorer)];
    let rules = args.rules.as_deref().map_or_else(|| Ok(RuleSet::builtin()), RuleSet::load)?;
    let scorer = args.scorer.as_deref().map(Scorer::load).transpose().context("SLUICE_SCORER")?;
    if let Some((scorer, why)) = scorer.as_ref().and_then(|scorer| Some((scorer, scorer.in_shadow()?))) {
        tracing::warn!(scorer = scorer.id(), why, "the scorer runs in shadow: it decides nothing");
    }
    let files = files.into_iter().flatten().collect();
    Ok((Judge::new(Arc::new(rules), scorer.map(Arc::new)), files))
}

/// Answers worker-status requests.
fn answer_worker_status_requests(
    consumers: &Consumers,
    status: StatusSource,
    end: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let (broker, topology) = (consumers.broker.clone(), consumers.topology.clone());
    async move { worker_status::answer(&broker, &topology, || status.say(), end).await }
}

/// Exits if queues are declared differently or credentials are refused; waits later for a broker that is down.
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
        Err(TopologyError::Failed(failure)) if failure.kind == Kind::Operator => {
            Err(broker.with_context(failure).into())
        }
        Err(error) => {
            tracing::warn!(%error, "waiting for RabbitMQ");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Exits if a database or permission is missing; if the server is down, closes the gate, and the probe does the rest.
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

/// Follows the supervisor: each byte in the pipe requests a reload of the rules, and the end of the pipe (the
/// supervisor closed it, or died) requests an orderly stop. It has its own thread, because the runtime would wait at
/// its end for a read that cannot be interrupted.
fn obey_the_pipe(stop: CancellationToken, calls: Calls) {
    std::thread::spawn(move || {
        for byte in std::io::stdin().lock().bytes() {
            match byte {
                Ok(_) => calls.call(),
                Err(_) => break,
            }
        }
        stop.cancel();
    });
}
