//! What is measured on: servers, and the programs that are started on them.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::devstack::{Server, Stack, StackOptions};
use anyhow::{Context as _, ensure};
use sluice_core::config::DatabaseArgs;
use sluice_core::post::Post;
use sluice_mysql::Store;
use tokio::net::TcpStream;
use tokio::process::Command;

use super::place::Place;
use super::posts::Posts;
use super::rows::Rows;
use super::{BenchArgs, floor};
use crate::program::{self, Program};

/// The Python that packages of the system belong to, whichever one the `PATH` names first.
const PYTHON: &str = "/usr/bin/python3";
/// How long a program may take until it listens.
const LISTENS_WITHIN: Duration = Duration::from_secs(20);

/// Servers, and what is needed on them.
pub(super) struct Stage {
    stack: Stack,
    database: String,
    rows: Rows,
    logs: tempfile::TempDir,
    go_peer: Option<PathBuf>,
    celery_peer: Option<PathBuf>,
    quick: bool,
    posts: RefCell<Posts>,
    places: Cell<u32>,
}

impl Stage {
    /// Starts the servers, or takes those that were named, and makes a database for the measurements.
    pub(super) async fn set(args: &BenchArgs) -> anyhow::Result<Self> {
        for name in ["sluice-producer", "sluice-worker"] {
            program::beside_us(name)?;
        }
        if let Some(peer) = &args.go_peer {
            ensure!(peer.is_file(), "there is no program {}: build it with ops/peers/build", peer.display());
        }
        if let Some(folder) = &args.celery_peer {
            let sought = folder.join("tasks.py");
            ensure!(
                sought.is_file(),
                "there is no {}: --celery-peer names Sluice's ops/peers/celery",
                sought.display()
            );
        }
        if cfg!(debug_assertions) {
            eprintln!("this is a debug build: its figures say nothing; use `cargo build --release --workspace`");
        }
        let stack = match &args.stack {
            Some(dir) => Stack::attach(dir)?,
            None => {
                let usual = StackOptions::default();
                let root = args.root.clone().or_else(|| usual.root.clone());
                Stack::start(StackOptions { root, ..usual }).await?
            }
        };
        let database = format!("sluice_bench_{}", std::process::id());
        let url = stack.database_url(&database);
        let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() })?;
        store.create_database().await?;
        store.migrate().await?;
        store.close().await;
        Ok(Self {
            rows: Rows::new(&url)?,
            stack,
            database,
            logs: tempfile::tempdir().context("cannot create a folder for the programs' logs")?,
            go_peer: args.go_peer.clone(),
            celery_peer: args.celery_peer.clone(),
            quick: args.quick,
            posts: RefCell::new(Posts::new()),
            places: Cell::new(0),
        })
    }

    /// Removes what is left of the measurements, and ends the servers if they are ours.
    pub(super) async fn strike(self) -> anyhow::Result<()> {
        let dropped = self.rows.drop_database(&self.database).await;
        self.rows.close().await;
        self.stack.stop().await?;
        dropped
    }

    pub(super) async fn versions(&self) -> String {
        self.stack.versions().await
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(super) fn amqp_url(&self) -> String {
        self.stack.amqp_url()
    }

    pub(super) fn database_url(&self) -> String {
        self.stack.database_url(&self.database)
    }

    pub(super) fn has_go_peer(&self) -> bool {
        self.go_peer.is_some()
    }

    pub(super) fn has_celery_peer(&self) -> bool {
        self.celery_peer.is_some()
    }

    /// The process ids of RabbitMQ (its `beam.smp`) and of the database server.
    pub(super) fn server_pids(&self) -> anyhow::Result<[u32; 2]> {
        let pid = |server: &Server| server.pid().with_context(|| format!("{} has ended", server.name()));
        Ok([pid(self.stack.rabbitmq())?, pid(self.stack.database())?])
    }

    /// So many, or a tenth of that if the run only has to show that everything works.
    pub(super) fn count(&self, full: usize) -> usize {
        if self.quick { (full / 10).max(100) } else { full }
    }

    /// So long, or a tenth of it.
    pub(super) fn time(&self, full: Duration) -> Duration {
        if self.quick { full / 10 } else { full }
    }

    /// Makes posts. The sequence goes on from one call to the next.
    pub(super) fn posts<T>(&self, make: impl FnOnce(&mut Posts) -> T) -> T {
        make(&mut self.posts.borrow_mut())
    }

    /// Queues for one measurement, and an empty table.
    pub(super) async fn place(&self) -> anyhow::Result<Place> {
        let number = self.places.get() + 1;
        self.places.set(number);
        self.rows.clear().await?;
        Place::make(&self.amqp_url(), format!("bench-{}-{number}", std::process::id())).await
    }

    /// Queues that hold so many posts already, and an empty table.
    pub(super) async fn filled(&self, posts: usize) -> anyhow::Result<Place> {
        self.filled_with(posts, |_| ()).await
    }

    /// The same with posts that something is done to first.
    pub(super) async fn filled_with(&self, posts: usize, change: impl Fn(&mut [Post])) -> anyhow::Result<Place> {
        /// Posts that are made at once: a long backlog need not be in our memory too.
        const AT_ONCE: usize = 50_000;
        let place = self.place().await?;
        let mut left = posts;
        while left > 0 {
            let mut some = self.posts(|make| make.take(left.min(AT_ONCE)));
            change(&mut some);
            left -= some.len();
            floor::broker::publish(&self.amqp_url(), &place.topology, &some).await?;
        }
        Ok(place)
    }

    /// Starts one of our programs.
    pub(super) fn start(&self, place: &Place, name: &str, args: &[&str]) -> anyhow::Result<Program> {
        let mut command = Command::new(program::beside_us(name)?);
        program::without_our_settings(&mut command);
        self.addresses(&mut command).env("SLUICE_PREFIX", &place.prefix).args(args);
        Program::start(name, command, self.log(name), false)
    }

    /// Gives a program the addresses of the servers. Not on its command line, which everybody on the machine can read.
    fn addresses<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("AMQP_URL", self.amqp_url()).env("DATABASE_URL", self.database_url())
    }

    /// Starts one of the peers that this program is too.
    pub(super) fn start_peer(&self, args: &[&str]) -> anyhow::Result<Program> {
        let mut command = Command::new(std::env::current_exe()?);
        self.addresses(&mut command).arg("bench-peer").args(args);
        Program::start("the peer", command, self.log("peer"), false)
    }

    /// Starts the peer in Go.
    pub(super) fn start_go_peer(&self, args: &[&str]) -> anyhow::Result<Program> {
        let mut command = Command::new(self.go_peer.as_ref().context("no --go-peer was given")?);
        self.addresses(&mut command).args(args);
        Program::start("the peer in Go", command, self.log("go-peer"), false)
    }

    /// Python in the folder of the Celery peer, to be given its arguments.
    pub(super) fn celery_peer(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(PYTHON);
        let folder = self.celery_peer.as_ref().context("no --celery-peer was given")?;
        // Nothing that it compiles is left behind among the sources.
        self.addresses(&mut command).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(command)
    }

    /// Runs one of our programs to its end; how long that took.
    pub(super) async fn run(&self, place: &Place, name: &str, args: &[&str]) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let mut program = self.start(place, name, args)?;
        let status = program.wait().await?;
        ensure!(
            status.success(),
            "{name} {} failed ({status}); its log is {}",
            args.join(" "),
            program.log().display()
        );
        Ok(begun.elapsed())
    }

    /// Where a program may write what it has to write.
    pub(super) fn folder(&self) -> &Path {
        self.logs.path()
    }

    /// The log of a program of this name.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.logs.path().join(format!("{name}.log"))
    }
}

/// Waits until a program listens at an address.
pub(super) async fn listens(program: &mut Program, address: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        program.check()?;
        ensure!(begun.elapsed() < LISTENS_WITHIN, "nothing listens at {address}; see {}", program.log().display());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
