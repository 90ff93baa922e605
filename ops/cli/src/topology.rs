//! `sluice topology`: the exchanges and queues, declared or compared.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::dead_letters::{BrowseError, DeadLetterBrowser};
use sluice_rabbit::topology::{Drift, Topology, no_leader};
use sluice_runtime::exit::Exit;

use sluice_runtime::output::{self, report};

use crate::members::{Cluster, Management, ManagementArgs};

/// What is declared but cannot be compared: AMQP has no query for either.
const NOT_COMPARED: [&str; 2] = ["bindings", "policies"];

/// How long to wait for another client that has the dead letters in flight.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `sluice topology`.
#[derive(Debug, Args)]
pub struct TopologyArgs {
    #[command(subcommand)]
    command: TopologyCommand,
}

#[derive(Debug, Subcommand)]
enum TopologyCommand {
    /// Declare the exchanges, queues and bindings in RabbitMQ
    ///
    /// Exchanges and queues that exist already must match the declaration.
    Apply {
        #[command(flatten)]
        broker: BrokerArgs,
    },
    /// List differences from the topology, and queues without a leader (read only)
    ///
    /// Exits with 1 if there is any. RabbitMQ compares the type and durability of an exchange and every
    /// argument of a quorum queue. Bindings and policies cannot be queried over AMQP and are not compared; `sluice
    /// topology apply` declares the bindings whether or not they exist. On a cluster, AMQP tells that a queue has no
    /// leader, unless it holds messages and has just lost its majority; with --management-url, nodes that are down,
    /// queues without a majority and queues with too few members are listed too, with what to do.
    Check {
        #[command(flatten)]
        broker: BrokerArgs,
        #[command(flatten)]
        management: ManagementArgs,
        /// Print one JSON object
        ///
        /// Keys: drift [{entity, argument, wanted, found}], not_compared [...], leaderless [queues], problems [texts],
        /// cluster {nodes [{name, running}], queues [{name, members, online}]} or null without --management-url.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
///
/// # Errors
/// When the broker could not be queried, or its queues are declared differently.
pub async fn run(args: TopologyArgs) -> anyhow::Result<Exit> {
    match args.command {
        TopologyCommand::Apply { broker } => apply(&broker).await,
        TopologyCommand::Check { broker, management, json } => check(&broker, &management, json).await,
    }
}

async fn apply(args: &BrokerArgs) -> anyhow::Result<Exit> {
    let (broker, topology) = (Broker::new(args, "sluice topology apply")?, Topology::new(args));
    let connection = broker.connect().await?;
    let declared = topology.declare(&connection).await;
    close(&connection).await;
    declared?;
    if topology.only_looked() {
        let at = broker.at();
        report!(
            "RabbitMQ at {at} refused the declaration: this user may not declare; everything is there, as far as its names"
        );
        return Ok(Exit::Failed);
    }
    output::print(|out| {
        for entity in topology.entities() {
            writeln!(out, "{}", entity.name())?;
        }
        Ok(())
    })?;
    report!("declared in RabbitMQ at {}", broker.at());
    Ok(Exit::Done)
}

/// The queues that have no leader, as far as AMQP tells.
async fn leaderless(broker: &Broker, topology: &Topology) -> Result<Vec<String>, BrowseError> {
    let connection = broker.connect().await?;
    let posts = async {
        let depth = topology.queue_depth(&connection).await?;
        depth.check_leader(broker, &topology.queue()).await
    };
    let posts = posts.await;
    close(&connection).await;
    let posts = posts.map_err(|failure| BrowseError::from(broker.with_context(failure)));
    let dead = match DeadLetterBrowser::open(broker, topology, LOCK_PATIENCE, || ()).await {
        Ok(browser) => browser.put_back().await,
        // Whoever has them in flight got them from a leader.
        Err(BrowseError::Busy { .. }) => Ok(()),
        Err(error) => Err(error),
    };
    let mut found = Vec::new();
    for (queue, checked) in [(topology.queue(), posts), (topology.dead_letter_queue(), dead)] {
        match checked {
            Err(error) if error.is_no_leader() => found.push(queue),
            checked => checked?,
        }
    }
    Ok(found)
}

#[derive(Serialize)]
struct Comparison<'a> {
    drift: &'a [Drift],
    not_compared: [&'static str; 2],
    leaderless: &'a [String],
    problems: Vec<String>,
    cluster: Option<&'a Cluster>,
}

async fn check(args: &BrokerArgs, management: &ManagementArgs, json: bool) -> anyhow::Result<Exit> {
    let (broker, topology) = (Broker::new(args, "sluice topology check")?, Topology::new(args));
    let management = Management::new(management, args)?;
    let connection = broker.connect().await?;
    let compared = topology.differences(&connection).await;
    close(&connection).await;
    let drift = compared?;
    // What is not there has neither a leader nor members.
    let missing = drift.iter().any(Drift::is_missing);
    let leaderless = if missing { Vec::new() } else { leaderless(&broker, &topology).await? };
    let cluster = match management.filter(|_| !missing) {
        Some(management) => Some(management.ask().await?),
        None => None,
    };
    let mut problems = cluster.as_ref().map_or_else(Vec::new, Cluster::problems);
    if problems.is_empty() {
        problems.extend(leaderless.iter().map(|queue| no_leader(queue)));
    }
    output::print(|out| {
        if json {
            let (drift, leaderless, cluster) = (&drift, &leaderless, cluster.as_ref());
            let (not_compared, problems) = (NOT_COMPARED, problems.clone());
            return output::json_line(out, &Comparison { drift, not_compared, leaderless, problems, cluster });
        }
        for difference in &drift {
            writeln!(out, "{}", crate::visible::line(&difference.to_string()))?;
        }
        for problem in &problems {
            writeln!(out, "{problem}")?;
        }
        if drift.is_empty() {
            writeln!(out, "the exchanges and queues at {} are as declared", broker.at())?;
        }
        Ok(())
    })?;
    if !json {
        report!(
            "({} are not compared: AMQP cannot query them; `sluice topology apply` declares the bindings)",
            NOT_COMPARED.join(" and ")
        );
    }
    Ok(if drift.is_empty() && problems.is_empty() { Exit::Done } else { Exit::Failed })
}
