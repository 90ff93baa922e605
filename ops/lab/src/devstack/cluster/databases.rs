//! MariaDB nodes that are one database: Galera.
//!
//! The first node begins the cluster; the others begin empty, and are sent its data by rsync, as a new node in
//! production would be.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use super::galera::{Galera, Node, SYNCED};
use super::{ClusterOptions, Replication};
use crate::devstack::error::StackError;
use crate::devstack::folder;
use crate::devstack::ground::Ground;
use crate::devstack::log::tail;
use crate::devstack::programs::Programs;
use crate::devstack::secrets::{DATABASE_USER, Secrets};
use crate::devstack::server::Server;

/// How long a node may take to answer the question for its state.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const TAIL_LINES: usize = 20;

/// The nodes, and the server of each.
#[derive(Debug)]
pub(super) struct Databases {
    galera: Galera,
    nodes: Vec<Node>,
    pub(super) servers: Vec<Server>,
    secrets: Secrets,
}

impl Databases {
    /// Starts as many as the options say and waits until they are one cluster. `None`: there are to be none.
    pub(super) async fn raise(
        ground: &Ground,
        options: &ClusterOptions,
        secrets: &Secrets,
    ) -> Result<Option<Self>, StackError> {
        let count = if options.replication == Replication::Galera { options.databases } else { 0 };
        let nodes = Node::draw(count)?;
        let Some(first) = nodes.first().copied() else { return Ok(None) };
        let ground = Ground { programs: Programs::find(None)?, ..ground.clone() };
        let galera = Galera::prepare(ground, &nodes)?;
        let servers = nodes.iter().map(|node| galera.server(node)).collect();
        let databases = Self { galera, nodes, servers, secrets: secrets.clone() };
        databases.make_data(&first).await?;
        databases.begin(0).await?;
        databases.start().await?;
        Ok(Some(databases))
    }

    /// The first node's data; the others have an empty folder for them.
    async fn make_data(&self, first: &Node) -> Result<(), StackError> {
        let ground = &self.galera.ground;
        for node in &self.nodes {
            folder::make(&ground.folder.path().join(node.name))?;
            folder::make(&self.galera.data(node).files())?;
            if node.name != first.name {
                folder::make(&self.galera.data(node).path())?;
            }
        }
        let data = self.galera.data(first);
        data.write_init(ground, include_str!("../mariadb.sql"), &self.secrets)?;
        self.galera.make_first(first, data.init()).await
    }

    /// Begins a new cluster with the data of this node.
    async fn begin(&self, i: usize) -> Result<(), StackError> {
        self.galera.begin_with(&self.nodes[i])?;
        self.servers[i].start().await?;
        self.until_synced(i).await
    }

    /// Starts all that are not running, at once, and waits until they are synced.
    pub(super) async fn start(&self) -> Result<(), StackError> {
        let start = |i: usize| async move {
            self.servers[i].start().await?;
            self.until_synced(i).await
        };
        let down = (0..self.nodes.len()).filter(|i| !self.servers[*i].is_running());
        try_join_all(down.map(start)).await.map(drop)
    }

    /// Begins a new cluster with the node whose data are newest. None may be running.
    pub(super) async fn bootstrap(&self) -> Result<(), StackError> {
        if let Some(running) = self.servers.iter().find(|server| server.is_running()) {
            return Err(StackError::StillRunning(running.name()));
        }
        let positions = join_all(self.nodes.iter().map(|node| self.galera.position(node))).await;
        let positions = positions.into_iter().collect::<Result<Vec<_>, _>>()?;
        if let Some((_, newest)) = positions.into_iter().zip(0..).max() {
            self.begin(newest).await?;
        }
        self.start().await
    }

    /// Whether node `i` is a synced member of the cluster.
    pub(super) async fn is_synced(&self, i: usize) -> bool {
        self.state(i).await.as_deref() == Some(SYNCED)
    }

    /// What node `i` says of its place in the cluster. `None`: nothing, within 2 s.
    async fn state(&self, i: usize) -> Option<String> {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.nodes[i].port)
            .prefer_socket(false)
            .user(Some(DATABASE_USER))
            .pass(Some(self.secrets.database()));
        let ask = async {
            let mut session = Conn::new(options).await?;
            let said = session.query_first("SHOW STATUS LIKE 'wsrep_local_state_comment'").await?;
            session.disconnect().await?;
            Ok::<_, mysql_async::Error>(said)
        };
        let (_, state): (String, String) = tokio::time::timeout(PATIENCE, ask).await.ok()?.ok()??;
        Some(state)
    }

    /// Waits until node `i` is synced.
    pub(super) async fn until_synced(&self, i: usize) -> Result<(), StackError> {
        let (begun, waited) = (Instant::now(), self.galera.ground.deadline);
        loop {
            let state = self.state(i).await;
            if state.as_deref() == Some(SYNCED) {
                return Ok(());
            }
            if begun.elapsed() >= waited {
                let server = self.servers[i].name();
                let state = state.unwrap_or_else(|| "silent".to_owned());
                let log = self.galera.ground.folder.log(server);
                let tail = tail(&log, 0, TAIL_LINES);
                return Err(StackError::NotSynced { server, state, waited, log, tail });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
