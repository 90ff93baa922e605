//! What a cluster is to be like.

use std::path::PathBuf;
use std::time::Duration;

use crate::devstack::ROOT;

/// What RabbitMQ 3.10 does when nodes lose sight of each other. 4.3 keeps what it knows in a quorum of its own (Khepri),
/// and takes this setting without heed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PartitionHandling {
    /// Each side goes on: RabbitMQ's default.
    #[default]
    Ignore,
    /// Nodes that see half of the cluster or less pause until they see more.
    PauseMinority,
}

/// How several MariaDB nodes are one database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Replication {
    /// Each of them may be written to, and has what the others commit: Galera.
    #[default]
    Galera,
    /// The first is written to. The others are its replicas, read-only until they are promoted, and receive a moment
    /// later what it commits.
    Asynchronous,
    /// The same, but a commit waits until a replica has received it, for an hour if need be.
    SemiSync,
}

/// What a cluster is to be like. The default: three nodes of each kind, RabbitMQ's from the root that [`ROOT`] names, or
/// else this machine's.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// How many RabbitMQ nodes, 0 to 5.
    pub brokers: usize,
    /// How many MariaDB nodes, 0 to 5.
    pub databases: usize,
    /// How these are one database.
    pub replication: Replication,
    /// What brokers do that lose sight of each other.
    pub partition_handling: PartitionHandling,
    /// After how long a broker that says nothing counts as gone, in whole seconds. `None`: Erlang's own 60 s.
    pub net_ticktime: Option<Duration>,
    /// How long each node may take to be ready.
    pub deadline: Duration,
    /// The root whose RabbitMQ it is made of. `None`: this machine's.
    pub root: Option<PathBuf>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            brokers: 3,
            databases: 3,
            replication: Replication::default(),
            partition_handling: PartitionHandling::default(),
            net_ticktime: None,
            deadline: Duration::from_secs(120),
            root: std::env::var_os(ROOT).map(PathBuf::from),
        }
    }
}
