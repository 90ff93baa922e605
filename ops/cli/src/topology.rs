//! `sluice topology`: the exchanges and queues, declared or compared.

use clap::{Args, Subcommand};
use serde::Serialize;
use sluice_core::config::BrokerArgs;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::{Drift, Topology};
use sluice_runtime::exit::Exit;

use sluice_runtime::output::{self, report};

/// What is declared but cannot be compared: AMQP has no query for either.
const NOT_COMPARED: [&str; 2] = ["bindings", "policies"];

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
    /// List every difference between the topology and the broker (read only)
    ///
    /// Exits with 1 if there is any difference. RabbitMQ compares the type and durability of an exchange and every
    /// argument of a quorum queue. Bindings and policies cannot be queried over AMQP and are not compared; `sluice
    /// topology apply` declares the bindings whether or not they exist.
    Check {
        #[command(flatten)]
        broker: BrokerArgs,
        /// Print one JSON object: {"drift": [{"entity", "argument", "wanted", "found"}], "not_compared": [...]}
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
        TopologyCommand::Check { broker, json } => check(&broker, json).await,
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

#[derive(Serialize)]
struct Comparison<'a> {
    drift: &'a [Drift],
    not_compared: [&'static str; 2],
}

async fn check(args: &BrokerArgs, json: bool) -> anyhow::Result<Exit> {
    let (broker, topology) = (Broker::new(args, "sluice topology check")?, Topology::new(args));
    let connection = broker.connect().await?;
    let compared = topology.differences(&connection).await;
    close(&connection).await;
    let drift = compared?;
    output::print(|out| {
        if json {
            return output::json_line(out, &Comparison { drift: &drift, not_compared: NOT_COMPARED });
        }
        for difference in &drift {
            writeln!(out, "{}", crate::visible::line(&difference.to_string()))?;
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
    Ok(if drift.is_empty() { Exit::Done } else { Exit::Failed })
}
