//! Private servers: a RabbitMQ and a database server of one's own, in one folder, on free ports of 127.0.0.1.
//!
//! For tests, for trying things out, and for breaking things on purpose. Nothing of the system is touched: no service,
//! no system folder, no well-known port; and no other user gets in (`secrets`). Durability is as in production, so what
//! survives a `kill()` here is what would survive a crash there.
//!
//! ```text
//!  Stack::start ── bound:    the servers end with their owner, even one killed with SIGKILL   (guardian)
//!  Stack::up ───── detached: they outlive their owner, until Stack::down                       (sluice-lab stack)
//! ```
//!
//! The servers are this machine's RabbitMQ and MariaDB, or the RabbitMQ and MySQL of a root: a folder that holds
//! another system (`root`). Several of each that are one broker and one database are a [`cluster`].
//!
//! Every process of a stack carries a mark in its environment; nothing else is ever sent a signal (`process`). A server
//! counts as ready when it greets in its own protocol on a socket that is its own (`readiness`).

mod bond;
pub mod cluster;
mod command;
mod control;
mod data;
mod database;
mod detached;
mod error;
mod folder;
mod ground;
mod guardian;
mod lock;
mod log;
mod mariadb;
mod mysql;
mod ports;
mod process;
mod programs;
mod rabbitmq;
mod readiness;
mod recipe;
mod record;
mod root;
mod secrets;
mod server;
mod servers;
mod tls;
mod version;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use command::{exit_code, shell_word};
pub use detached::StackState;
pub use error::StackError;
pub use server::Server;

use bond::Bond;
use folder::Folder;
use ground::Ground;
use guardian::End;
use process::Mark;
use programs::Programs;
use record::Record;
use secrets::{BROKER_USER, DATABASE_USER, Secrets};
use servers::Servers;
use tls::Tls;

use crate::testing::Identity;

/// The variable that names a root.
pub const ROOT: &str = "SLUICE_STACK_ROOT";

/// What a stack is to be like. The default: in a temporary folder, ready within 60 s, with the servers of the root that
/// [`ROOT`] names, or else this machine's.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The folder, made if need be. Its data are used again by the next stack in it. `None`: a temporary one, removed
    /// at the end.
    pub dir: Option<PathBuf>,
    /// How long the broker lets a consumer hold a message unacknowledged. `None`: its default, 30 minutes.
    pub consumer_timeout: Option<Duration>,
    /// The servers' certificate. `None`: a MariaDB and a RabbitMQ that offer no TLS.
    pub identity: Option<Identity>,
    /// How long each server may take to be ready.
    pub deadline: Duration,
    /// The root whose RabbitMQ and MySQL it is made of. `None`: this machine's RabbitMQ and MariaDB.
    pub root: Option<PathBuf>,
}

impl Default for StackOptions {
    fn default() -> Self {
        let root = std::env::var_os(ROOT).map(PathBuf::from);
        Self { dir: None, consumer_timeout: None, identity: None, deadline: Duration::from_secs(60), root }
    }
}

/// A RabbitMQ and a database server.
///
/// A bound one ([`Stack::start`]) ends when it is dropped; [`Stack::stop`] also waits for that. One that is up
/// ([`Stack::up`], [`Stack::attach`]) is only looked at, and stays when this is dropped.
#[derive(Debug)]
pub struct Stack {
    ground: Ground,
    servers: Servers,
    secrets: Secrets,
    bond: Option<Bond>,
}

impl Stack {
    /// Starts both servers and waits until they can be used. They end with this value, and with this process.
    ///
    /// # Errors
    /// When a program is not installed, the folder cannot be used or is in use, or a server does not come up.
    pub async fn start(options: StackOptions) -> Result<Self, StackError> {
        let programs = Programs::for_folder(options.dir.as_deref(), options.root.as_deref())?;
        let (folder, fate) = match &options.dir {
            Some(dir) => (Folder::claim(dir)?, End::Keep),
            None => (Folder::temporary()?, End::Remove),
        };
        let lock = folder.lock(Duration::ZERO).await?;
        let before = folder.record();
        if let Some(former) = &before {
            detached::outwait_guardian(former).await?;
        }
        if before.as_ref().is_some_and(|record| !Mark::recorded(&record.mark).processes().is_empty()) {
            return Err(StackError::Up(folder.path().to_owned()));
        }
        let secrets = Secrets::of(&folder, before.is_some())?;
        let record = Record::republished(before, true, programs.folder_of_root())?;
        folder.write_record(&record)?;
        if let Some(identity) = &options.identity {
            Tls::write(&folder, identity)?;
        }
        let ground = Ground::new(folder, programs, &record, options.deadline);
        // Posted before anything is started. From here on, a return without the stack ends what has been started.
        let bond = Bond::tie(&ground, lock, fate)?;
        match Servers::raise(&ground, record, &secrets, options.consumer_timeout).await {
            Ok(servers) => Ok(Self { ground, servers, secrets, bond: Some(bond) }),
            Err(error) => {
                // The error that matters is the one in flight.
                let _ = bond.end(&ground, Vec::new()).await;
                Err(error)
            }
        }
    }

    /// The broker.
    #[must_use]
    pub fn rabbitmq(&self) -> &Server {
        &self.servers.rabbitmq
    }

    /// The database server: MariaDB, or MySQL from a root.
    #[must_use]
    pub fn database(&self) -> &Server {
        &self.servers.database
    }

    /// Which servers these are: `RabbitMQ 4.3.6, MySQL 9.7.4`. One that does not answer is named alone.
    pub async fn versions(&self) -> String {
        let [broker, database] = [self.rabbitmq(), self.database()];
        let (said, also) = tokio::join!(broker.version(), database.version());
        let named = |said: Option<String>, server: &Server| said.unwrap_or_else(|| server.name().to_owned());
        format!("{}, {}", named(said, broker), named(also, database))
    }

    /// The folder that holds everything.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.ground.folder.path()
    }

    /// Where the broker is, with the user who may do everything there and the password.
    #[must_use]
    pub fn amqp_url(&self) -> String {
        format!("amqp://{BROKER_USER}:{}@127.0.0.1:{}/%2f", self.secrets.broker(), self.rabbitmq().port())
    }

    /// The same with TLS, by the name `host`, if the stack has a certificate.
    #[must_use]
    pub fn amqps_url(&self, host: &str) -> String {
        format!("amqps://{BROKER_USER}:{}@{host}:{}/%2f", self.secrets.broker(), self.servers.amqps_port)
    }

    /// Where the broker's management API and pages are, with user and password, without a slash at the end.
    #[must_use]
    pub fn management_url(&self) -> String {
        format!("http://{BROKER_USER}:{}@127.0.0.1:{}", self.secrets.broker(), self.servers.management_port)
    }

    /// Where the database `name` is or would be, with the user who may do everything there and the password.
    #[must_use]
    pub fn database_url(&self, name: &str) -> String {
        format!("mysql://{DATABASE_USER}:{}@127.0.0.1:{}/{name}", self.secrets.database(), self.database().port())
    }

    /// Ends a bound stack and waits until all is gone; a temporary folder too. A stack that is up stays up: see
    /// [`Stack::down`].
    ///
    /// # Errors
    /// When something is still there.
    pub async fn stop(mut self) -> Result<(), StackError> {
        let Some(bond) = self.bond.take() else { return Ok(()) };
        // Data that go too need no orderly end: the guardian's SIGKILL is quicker.
        if bond.keeps_data() {
            self.servers.stop().await?;
        }
        bond.end(&self.ground, self.servers.take_children()).await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(bond) = self.bond.take() {
            bond.release(self.servers.take_children());
        }
    }
}

impl Ground {
    fn new(folder: Folder, programs: Programs, record: &Record, deadline: Duration) -> Self {
        Self { folder, programs, mark: Mark::recorded(&record.mark), deadline }
    }
}
