//! What the demonstration runs on: private servers, the producer, three workers, and their logs in a folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::devstack::{Stack, StackOptions, shell_word};
use anyhow::{Context as _, ensure};
use sluice_core::config::{BrokerArgs, DatabaseArgs, SecretUrl};
use sluice_mysql::Store;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::Topology;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::DemoArgs;
use crate::program::{self, Program};

/// Where `--keep` keeps.
const DIR: &str = ".sluice-demo";
const PREFIX: &str = "post";
const DATABASE: &str = "sluice";
const WORKERS: &str = "3";
/// How long a program may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// All that runs.
pub(super) struct Stage {
    stack: Stack,
    broker: Broker,
    pub(super) topology: Topology,
    pub(super) store: Store,
    listen: String,
    keep: bool,
    programs: Mutex<Vec<Program>>,
}

/// How far the posts have come.
#[derive(Debug)]
pub(super) struct Now {
    pub(super) waiting: u32,
    pub(super) dead: u32,
    pub(super) stored: u64,
}

impl Stage {
    /// Starts the servers.
    pub(super) async fn set(args: &DemoArgs) -> anyhow::Result<Self> {
        let stack = if args.keep {
            let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(DIR));
            ensure!(
                !dir.exists(),
                "{} is there already, perhaps from an earlier `--keep`: stop it with `sluice-lab stack down --remove \
                 --dir {}`, or choose another folder with --dir",
                dir.display(),
                shell_word(&dir)
            );
            Stack::up(&dir, StackOptions::default().root.as_deref()).await?.0
        } else {
            Stack::start(StackOptions { dir: args.dir.clone(), ..StackOptions::default() }).await?
        };
        let broker_args = BrokerArgs {
            amqp_url: stack.amqp_url().as_str().into(),
            prefix: PREFIX.parse().map_err(|problem: String| anyhow::anyhow!(problem))?,
            max_length: None,
        };
        let store = Store::new(&DatabaseArgs { database_url: stack.database_url(DATABASE).as_str().into() })?;
        Ok(Self {
            broker: Broker::new(&broker_args, "sluice-lab demo")?,
            topology: Topology::new(&broker_args),
            store,
            listen: program::free_address()?,
            keep: args.keep,
            programs: Mutex::new(Vec::new()),
            stack,
        })
    }

    /// The address of the HTTP API.
    pub(super) fn producer_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// RabbitMQ's own pages, with user and password.
    pub(super) fn management_url(&self) -> String {
        self.stack.management_url()
    }

    /// The database's address, with user and password.
    pub(super) fn database(&self) -> SecretUrl {
        self.stack.database_url(DATABASE).as_str().into()
    }

    /// The file of accepted ids.
    pub(super) fn receipts(&self) -> PathBuf {
        self.stack.dir().join("receipts")
    }

    /// How many posts were accepted.
    pub(super) fn accepted(&self) -> anyhow::Result<u64> {
        let receipts = std::fs::read_to_string(self.receipts()).context("cannot read the receipts")?;
        Ok(u64::try_from(receipts.lines().count())?)
    }

    /// Starts the producer and waits until it would take a post.
    pub(super) async fn start_producer(&self) -> anyhow::Result<()> {
        self.start("sluice-producer", &["serve", "--listen", &self.listen]).await?;
        let begun = Instant::now();
        loop {
            let ready = reqwest::get(format!("{}/readyz", self.producer_url())).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < PATIENCE,
                "the producer is not ready; its log is {}",
                self.log("sluice-producer").display()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts the worker processes.
    pub(super) async fn start_workers(&self) -> anyhow::Result<()> {
        self.start("sluice-worker", &["run", "--processes", WORKERS, "--name", "worker"]).await
    }

    /// Runs `sluice` with these arguments, as a person would; whether it was content.
    pub(super) async fn sluice(&self, args: &[&str]) -> anyhow::Result<bool> {
        println!("$ sluice {}", args.join(" "));
        let mut command = Command::new(program::beside_us("sluice")?);
        let status = self.environment(&mut command).args(args).kill_on_drop(true).status().await?;
        Ok(status.success())
    }

    /// How far the posts have come.
    pub(super) async fn now(&self) -> anyhow::Result<Now> {
        let connection = self.broker.connect().await?;
        let waiting = self.topology.queue_depth(&connection).await?.ready;
        let dead = self.topology.dead_letter_depth(&connection).await?.ready;
        close(&connection).await;
        let stored = self.store.count_by_verdict().await?.iter().map(|(_, rows)| rows).sum();
        Ok(Now { waiting, dead, stored })
    }

    /// Leaves everything up, and says where it is and how it is ended.
    pub(super) fn leave(self) -> anyhow::Result<()> {
        let dir = shell_word(self.stack.dir());
        let programs = self.programs.into_inner();
        let pids: Vec<_> = programs.iter().filter_map(Program::pid).map(|pid| pid.to_string()).collect();
        println!("\nEverything is still running:");
        println!("  the HTTP API         http://{}/posts", self.listen);
        let shown = |url: String| SecretUrl::from(url.as_str());
        println!("  RabbitMQ             {}", shown(self.stack.amqp_url()));
        println!("  its web interface    {}", shown(self.stack.management_url()));
        println!("  the database         {}", shown(self.stack.database_url(DATABASE)));
        println!("  logs                 {dir}/*.log");
        let lab = shell_word(&std::env::current_exe()?);
        println!("For `sluice` and the other programs in this shell, with the passwords:");
        println!("  eval \"$({lab} stack env --dir {dir})\"");
        println!("To stop everything:");
        println!("  kill {}; {lab} stack down --remove --dir {dir}", pids.join(" "));
        Ok(())
    }

    /// Ends everything, in order.
    pub(super) async fn strike(self) -> anyhow::Result<()> {
        // The programs finish what they have in flight; the ends of the servers come after theirs.
        for program in self.programs.into_inner() {
            program.end().await?;
        }
        self.store.close().await;
        if self.keep {
            Stack::down(self.stack.dir(), true).await?;
        } else {
            self.stack.stop().await?;
        }
        Ok(())
    }

    /// Starts one of our programs; its log goes into the folder.
    async fn start(&self, name: &'static str, args: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(program::beside_us(name)?);
        self.environment(&mut command).args(args);
        let program = Program::start(name, command, self.log(name), self.keep)?;
        self.programs.lock().await.push(program);
        Ok(())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.stack.dir().join(format!("{name}.log"))
    }

    /// The servers' addresses, and nothing of the caller's own settings.
    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        program::without_our_settings(command);
        command
            .env("AMQP_URL", self.stack.amqp_url())
            .env("DATABASE_URL", self.stack.database_url(DATABASE))
            .env("SLUICE_PREFIX", PREFIX)
    }
}
