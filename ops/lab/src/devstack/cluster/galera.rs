//! One MariaDB node of a Galera cluster: how it is run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::MOST;
use crate::devstack::data::Data;
use crate::devstack::error::StackError;
use crate::devstack::folder;
use crate::devstack::ground::Ground;
use crate::devstack::mariadb::{self, at};
use crate::devstack::ports;
use crate::devstack::programs::DatabasePrograms;
use crate::devstack::readiness::Greeting;
use crate::devstack::recipe::Recipe;
use crate::devstack::server::Server;

/// What a node says of itself that has all of the cluster's data and takes part.
pub(super) const SYNCED: &str = "Synced";

pub(super) const NAMES: [&str; MOST] = ["mariadb-1", "mariadb-2", "mariadb-3", "mariadb-4", "mariadb-5"];
/// Where distributions put the library that makes servers a cluster.
const PROVIDERS: [&str; 4] = [
    "/usr/lib/galera/libgalera_smm.so",
    "/usr/lib/galera-4/libgalera_smm.so",
    "/usr/lib64/galera/libgalera_smm.so",
    "/usr/lib64/galera-4/libgalera_smm.so",
];
const INSTALL: &str = "apt-get install -y --no-install-recommends galera-4 rsync";
/// Starts a node; its head says how.
const START: &str = include_str!("galera.sh");
/// Its own way to transfer the state, and what that needs.
const TRANSFER: &str = include_str!("transfer.sh");
const RSYNC: &str = include_str!("rsync.sh");
/// Small, because a node that joins gets them whole.
pub(super) const LOGS: &str = "--innodb-log-file-size=16M";

/// A node: its name and its ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) port: u16,
    /// Where the nodes talk to each other.
    group: u16,
    /// Where it receives what it missed, and where all of the data.
    missed: u16,
    state: u16,
}

impl Node {
    /// As many nodes, on free ports.
    pub(super) fn draw(count: usize) -> Result<Vec<Self>, StackError> {
        let node = |name: &&'static str| {
            let [port, group, missed, state] = ports::draw()?;
            Ok(Self { name, port, group, missed, state })
        };
        NAMES.iter().take(count).map(node).collect()
    }
}

/// What all nodes of a cluster have in common.
#[derive(Debug, Clone)]
pub(super) struct Galera {
    /// Its programs are always this machine's.
    pub(super) ground: Ground,
    mariadbd: PathBuf,
    install_db: PathBuf,
    provider: &'static str,
    /// All nodes, as each of them has to know them.
    addresses: String,
}

impl Galera {
    /// Writes the scripts that the nodes are started with.
    pub(super) fn prepare(ground: Ground, nodes: &[Node]) -> Result<Self, StackError> {
        let DatabasePrograms::Mariadb { mariadbd, mariadb_install_db } = ground.programs.database.clone() else {
            return Err(missing("mariadbd"));
        };
        let provider = PROVIDERS.into_iter().find(|library| Path::new(library).exists());
        let provider = provider.ok_or_else(|| missing("libgalera_smm.so"))?;
        folder::make(&ground.folder.path().join("bin"))?;
        ground.folder.write("galera.sh", START)?;
        ground.folder.write_as("bin/wsrep_sst_private", TRANSFER, 0o700)?;
        ground.folder.write_as("bin/rsync", RSYNC, 0o700)?;
        let addresses: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.group)).collect();
        Ok(Self { ground, mariadbd, install_db: mariadb_install_db, provider, addresses: addresses.join(",") })
    }

    pub(super) fn data(&self, node: &Node) -> Data {
        Data::of(&self.ground, node.name)
    }

    /// Makes the first data, with the passwords: there is no cluster yet that could spread them.
    pub(super) async fn make_first(&self, node: &Node, statements: PathBuf) -> Result<(), StackError> {
        let options = [at("--extra-file=", statements), LOGS.into()];
        mariadb::make(&self.ground, &self.install_db, &self.data(node), &options).await
    }

    /// Has the next start of this node begin a new cluster, of which its data are the first.
    pub(super) fn begin_with(&self, node: &Node) -> Result<(), StackError> {
        self.ground.folder.write(&format!("{}/begin", node.name), "")?;
        let state = self.data(node).path().join("grastate.dat");
        // Galera itself allows it only to the node that went last.
        match fs::read_to_string(&state) {
            Ok(text) => fs::write(&state, text.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1"))
                .map_err(StackError::folder(state)),
            Err(_) => Ok(()),
        }
    }

    /// How far the data of this node are: the number of the last transaction, -1 if they have none. It must be down.
    pub(super) async fn position(&self, node: &Node) -> Result<i64, StackError> {
        let mut command = self.ground.command(Path::new("sh"), node.name)?;
        command.args(self.args(node, "position")).stdout(std::process::Stdio::piped());
        let failed = |problem| StackError::Launch { program: self.mariadbd.clone(), problem };
        let mut command = tokio::process::Command::from(command);
        let ran = tokio::time::timeout(self.ground.deadline, command.kill_on_drop(true).output()).await;
        let ran = ran.map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?.map_err(failed)?;
        // A universal id, a colon, the number, and perhaps a comma with more.
        let said = String::from_utf8_lossy(&ran.stdout);
        let number = said.trim().split([':', ',']).nth(1).and_then(|number| number.parse().ok());
        number.ok_or_else(|| failed(std::io::Error::other(format!("it names no position but {said:?}"))))
    }

    /// The server of a node.
    pub(super) fn server(&self, node: &Node) -> Server {
        // MariaDB looks for its own ways to transfer the state in the PATH.
        let mut path = OsString::from(self.ground.folder.path().join("bin"));
        path.push(":");
        path.push(&self.ground.programs.path);
        let recipe = Recipe {
            name: node.name,
            program: "sh".into(),
            args: self.args(node, "start"),
            envs: vec![("PATH", path)],
            port: node.port,
            other_ports: vec![node.group],
            greeting: Greeting::Mysql,
        };
        Server::new(&self.ground, recipe, None)
    }

    /// The arguments of the shell that does something with a node.
    fn args(&self, node: &Node, what: &str) -> Vec<OsString> {
        let Node { name, port, group, missed, state } = node;
        let script = self.ground.folder.path().join("galera.sh");
        let home = self.ground.folder.path().join(name);
        let mut args = vec![script.into(), what.into(), home.into(), self.mariadbd.clone().into()];
        args.extend(mariadb::args(&self.ground, &self.data(node), *port));
        let own = [
            LOGS.to_owned(),
            "--binlog-format=ROW".to_owned(),
            "--innodb-autoinc-lock-mode=2".to_owned(),
            "--wsrep-on=ON".to_owned(),
            format!("--wsrep-provider={}", self.provider),
            "--wsrep-cluster-name=sluice".to_owned(),
            format!("--wsrep-cluster-address=gcomm://{}", self.addresses),
            format!("--wsrep-node-name={name}"),
            "--wsrep-node-address=127.0.0.1".to_owned(),
            "--wsrep-sst-method=private".to_owned(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{state}"),
            format!(
                "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{group};\
                 ist.recv_addr=127.0.0.1:{missed};gcache.size=32M"
            ),
        ];
        args.extend(own.map(OsString::from));
        args
    }
}

fn missing(what: &'static str) -> StackError {
    let sudo = if nix::unistd::geteuid().is_root() { "" } else { "sudo " };
    StackError::Missing { missing: vec![what], install: format!("{sudo}{INSTALL}") }
}
