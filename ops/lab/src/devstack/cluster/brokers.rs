//! RabbitMQ nodes that are one broker.
//!
//! The first one is up before the others look for it, and looks for none: RabbitMQ 3.10 nodes that start at the same
//! time wait for each other's lock for up to ten seconds, and a 4.3 one alone looks for the others for a hundred. One epmd
//! serves all of them.

use futures_util::future::try_join_all;

use super::{ClusterOptions, MOST, PartitionHandling};
use crate::devstack::error::StackError;
use crate::devstack::ground::Ground;
use crate::devstack::ports;
use crate::devstack::rabbitmq::{self, Broker, Settings};
use crate::devstack::record::RabbitmqPorts;
use crate::devstack::secrets::Secrets;
use crate::devstack::server::Server;

const NAMES: [&str; MOST] = ["rabbitmq-1", "rabbitmq-2", "rabbitmq-3", "rabbitmq-4", "rabbitmq-5"];

/// The nodes, and the server of each.
#[derive(Debug)]
pub(super) struct Brokers {
    pub(super) nodes: Vec<Broker>,
    pub(super) servers: Vec<Server>,
}

impl Brokers {
    /// Starts as many as the options say.
    pub(super) async fn raise(
        ground: &Ground,
        options: &ClusterOptions,
        secrets: &Secrets,
    ) -> Result<Self, StackError> {
        let [epmd] = ports::draw()?;
        let node = |(number, name): (usize, &&'static str)| {
            let ports = RabbitmqPorts { epmd, ..RabbitmqPorts::draw()? };
            Ok(Broker { name, node: format!("sluice{number}@localhost"), ports })
        };
        let nodes = (1..).zip(&NAMES).take(options.brokers).map(node).collect::<Result<Vec<_>, StackError>>()?;
        for node in &nodes {
            let lines = lines(&nodes[0], node, options.partition_handling);
            let settings = Settings { net_ticktime: options.net_ticktime, lines, ..Settings::default() };
            rabbitmq::configure(&ground.folder, node, secrets, &settings)?;
        }
        let epmd = rabbitmq::epmd(ground, epmd);
        let servers = nodes.iter().map(|node| node.server(ground, epmd.clone())).collect();
        let brokers = Self { nodes, servers };
        if let Some(first) = brokers.servers.first() {
            first.start().await?;
        }
        brokers.start().await?;
        Ok(brokers)
    }

    /// Starts all that are not running.
    pub(super) async fn start(&self) -> Result<(), StackError> {
        let down = self.servers.iter().filter(|server| !server.is_running());
        try_join_all(down.map(Server::start)).await.map(drop)
    }
}

/// What makes a node one of a cluster. A new node looks for the first one only, and the first one for none.
fn lines(first: &Broker, own: &Broker, handling: PartitionHandling) -> String {
    let handling = match handling {
        PartitionHandling::Ignore => "ignore",
        PartitionHandling::PauseMinority => "pause_minority",
    };
    let (first, own) = (&first.node, &own.node);
    let also = if first == own { String::new() } else { format!("cluster_formation.classic_config.nodes.2 = {own}\n") };
    format!(
        "cluster_name = sluice\ncluster_partition_handling = {handling}\n\
         cluster_formation.peer_discovery_backend = classic_config\n\
         cluster_formation.classic_config.nodes.1 = {first}\n{also}"
    )
}
