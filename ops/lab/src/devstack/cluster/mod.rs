//! Clusters: several RabbitMQ nodes that are one broker, several MariaDB nodes that are one database (Galera, replicas).
//!
//! In one folder, under one mark and one guardian, on free ports of 127.0.0.1, like a stack; always temporary. Each node
//! is a [`Server`] with its own ports, data and log, so one can be killed or frozen while the others go on.
//!
//! ```no_run
//! # async fn example() -> Result<(), sluice_lab::devstack::StackError> {
//! use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};
//!
//! let cluster = Cluster::start(ClusterOptions { databases: 0, ..ClusterOptions::default() }).await?;
//! println!("AMQP_URL={}", cluster.amqp_url(&[0, 1, 2]));
//! if let Some(leader) = cluster.leader_of("post_queue").await? {
//!     cluster.broker(leader).kill().await?;
//!     cluster.broker(leader).start().await?;
//! }
//! cluster.stop().await
//! # }
//! ```
//!
//! RabbitMQ may be a root's (`root`); the databases are always this machine's MariaDB, since MySQL has no Galera.

mod brokers;
mod databases;
mod galera;
mod options;
mod queues;
mod replicas;

pub use options::{ClusterOptions, PartitionHandling, Replication};

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use brokers::Brokers;
use databases::Databases;

use super::bond::Bond;
use super::control;
use super::error::StackError;
use super::folder::Folder;
use super::ground::Ground;
use super::guardian::End;
use super::process::Mark;
use super::programs::Programs;
use super::secrets::{BROKER_USER, DATABASE_USER, Secrets};
use super::server::Server;

/// The most nodes of a kind.
const MOST: usize = 5;
/// How often a cluster is started anew when someone else was quicker to take one of its ports.
const ATTEMPTS: usize = 5;

/// RabbitMQ nodes that are one broker, and MariaDB nodes that are one database. All end when this is dropped;
/// [`Cluster::stop`] also waits for that.
///
/// A node that is started while most of the others are down may wait for them, and not be ready in time: start them
/// together, with [`Cluster::start_brokers`] or [`Cluster::start_databases`].
///
/// Nodes are counted from 0. A method that is given the number of a node that is not there panics.
#[derive(Debug)]
pub struct Cluster {
    ground: Ground,
    brokers: Brokers,
    /// Galera's nodes.
    databases: Option<Databases>,
    /// A primary, and then its replicas.
    replicated: Vec<Server>,
    secrets: Secrets,
    bond: Option<Bond>,
}

impl Cluster {
    /// Starts all nodes and waits until they are one cluster of each kind.
    ///
    /// # Errors
    /// When a program is not installed, the folder cannot be made, or a node does not come up.
    pub async fn start(options: ClusterOptions) -> Result<Self, StackError> {
        let mut attempt = 1;
        loop {
            match Self::try_start(&options).await {
                Err(error @ StackError::PortTaken { .. }) if attempt < ATTEMPTS => {
                    tracing::debug!(%error, "starting the cluster on other ports");
                    attempt += 1;
                }
                started => return started,
            }
        }
    }

    async fn try_start(options: &ClusterOptions) -> Result<Self, StackError> {
        let asked = options.brokers.max(options.databases);
        if asked > MOST {
            return Err(StackError::TooManyNodes { asked, most: MOST });
        }
        let programs = Programs::find(options.root.as_deref())?;
        let folder = Folder::temporary()?;
        let lock = folder.lock(Duration::ZERO).await?;
        let secrets = Secrets::of(&folder, false)?;
        let mark = Mark::new();
        folder.write_cluster(mark.as_str())?;
        let ground = Ground { folder, programs, mark, deadline: options.deadline };
        // Tied before anything is started. From here on, a return without the cluster ends what has been started.
        let bond = Bond::tie(&ground, lock, End::Remove)?;
        let raised = tokio::try_join!(
            Brokers::raise(&ground, options, &secrets),
            Databases::raise(&ground, options, &secrets),
            replicas::raise(&ground, options, &secrets)
        );
        match raised {
            Ok((brokers, databases, replicated)) => {
                Ok(Self { ground, brokers, databases, replicated, secrets, bond: Some(bond) })
            }
            Err(error) => {
                // The error that matters is the one in flight.
                let _ = bond.end(&ground, Vec::new()).await;
                Err(error)
            }
        }
    }

    /// Broker `i`.
    #[must_use]
    pub fn broker(&self, i: usize) -> &Server {
        &self.brokers.servers[i]
    }

    /// Database server `i`.
    #[must_use]
    pub fn database(&self, i: usize) -> &Server {
        &self.database_servers()[i]
    }

    /// The folder that holds everything. A broker's data are in `rabbitmq-N/data`, a database's in `mariadb-N/data`,
    /// with N counted from 1; their logs are `logs/rabbitmq-N.log` and `logs/mariadb-N.log`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.ground.folder.path()
    }

    /// Where these brokers are, as one URL with a list of nodes, with the user who may do everything there and the
    /// password: `amqp://user:password@127.0.0.1:5001,127.0.0.1:5002/%2f`.
    #[must_use]
    pub fn amqp_url(&self, nodes: &[usize]) -> String {
        let list = list(nodes.iter().map(|i| self.broker(*i)));
        format!("amqp://{BROKER_USER}:{}@{list}/%2f", self.secrets.broker())
    }

    /// Where the management API and pages of broker `i` are, with user and password, without a slash at the end.
    #[must_use]
    pub fn management_url(&self, i: usize) -> String {
        let port = self.brokers.nodes[i].ports.management;
        format!("http://{BROKER_USER}:{}@127.0.0.1:{port}", self.secrets.broker())
    }

    /// Where the database `name` is or would be on these nodes, as one URL with a list of nodes, with the user who may
    /// do everything there and the password.
    #[must_use]
    pub fn database_url(&self, name: &str, nodes: &[usize]) -> String {
        let list = list(nodes.iter().map(|i| self.database(*i)));
        format!("mysql://{DATABASE_USER}:{}@{list}/{name}", self.secrets.database())
    }

    /// Runs `rabbitmqctl` against broker `i`, with these arguments, and gives what it printed.
    ///
    /// # Errors
    /// When it cannot be run, is refused by the broker, or takes longer than 30 s.
    pub async fn rabbitmqctl(&self, i: usize, args: &[&str]) -> Result<String, StackError> {
        control::rabbitmqctl(&self.ground, self.broker(i), args).await
    }

    /// Starts the brokers that are not running, all at once: after all were down, one of them waits for the one that
    /// went last, and one of a minority that pauses waits for more.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_brokers(&self) -> Result<(), StackError> {
        self.brokers.start().await
    }

    /// Starts the database servers that are not running, all at once, and waits until they are synced. The cluster
    /// forms again by itself if all that were its last members come back.
    ///
    /// # Errors
    /// As [`Server::start`], and when one is not synced in time.
    pub async fn start_databases(&self) -> Result<(), StackError> {
        let Some(databases) = &self.databases else { return Ok(()) };
        databases.start().await
    }

    /// Starts the database servers again after all were down, as an operator would: the one with the newest data begins
    /// a new cluster, the others join it. Waits until all are synced.
    ///
    /// # Errors
    /// When one is running, does not start, or is not synced in time.
    pub async fn bootstrap_databases(&self) -> Result<(), StackError> {
        let Some(databases) = &self.databases else { return Ok(()) };
        databases.bootstrap().await
    }

    /// Whether database server `i` is a synced member of the cluster, and so takes statements.
    pub async fn synced(&self, i: usize) -> bool {
        let Some(databases) = &self.databases else { return false };
        databases.is_synced(i).await
    }

    /// Waits until database server `i` is a synced member of the cluster.
    ///
    /// # Errors
    /// When it is not in time.
    pub async fn until_synced(&self, i: usize) -> Result<(), StackError> {
        let Some(databases) = &self.databases else { return Ok(()) };
        databases.until_synced(i).await
    }

    /// Ends all nodes and waits until nothing is left.
    ///
    /// # Errors
    /// When something is still there.
    pub async fn stop(mut self) -> Result<(), StackError> {
        let Some(bond) = self.bond.take() else { return Ok(()) };
        bond.end(&self.ground, self.take_children()).await
    }

    fn database_servers(&self) -> &[Server] {
        self.databases.as_ref().map_or(&self.replicated, |databases| &databases.servers)
    }

    fn take_children(&self) -> Vec<Child> {
        let servers = self.brokers.servers.iter().chain(self.database_servers());
        servers.flat_map(Server::take_children).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(bond) = self.bond.take() {
            bond.release(self.take_children());
        }
    }
}

/// The addresses of servers as a list in a URL has them.
fn list<'a>(servers: impl Iterator<Item = &'a Server>) -> String {
    servers.map(|server| format!("127.0.0.1:{}", server.port())).collect::<Vec<_>>().join(",")
}
