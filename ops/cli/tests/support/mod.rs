//! What the tests of the operator's tool share: a ground of its own for each test (prefix and database), dead letters
//! of every sort, and the program itself. Everything is taken away again when the ground is dropped.

#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses its own part of this")]

mod dead;
mod queues;
mod ran;
mod sweep;
mod work;

use std::process::Stdio;
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, ConnectionProperties};
use mysql_async::prelude::Queryable;
use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Verdict};
use sluice_mysql::{Row, Store};
use sluice_rabbit::broker::Broker;
use sluice_rabbit::topology::Topology;
use time::OffsetDateTime;
use tokio::process::{Child, Command};

pub use dead::{Dead, ids, post};
pub use ran::{Ran, interrupt, text, until};

/// The longest wait for anything in a test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One test's own part of both servers.
pub struct Ground {
    pub amqp_url: String,
    pub database_url: String,
    pub prefix: String,
    pub topology: Topology,
    pub broker: Broker,
    pub store: Store,
    pub connection: Connection,
    pub channel: Channel,
}

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: these tests need real servers; run ops/test, or: sluice-lab stack run -- cargo test"
        )
    })
}

impl Ground {
    /// A ground with its queues declared and its schema in place.
    pub async fn new() -> Self {
        Self::with_max_length(None).await
    }

    /// The same, with a bounded queue.
    pub async fn with_max_length(max_length: Option<u32>) -> Self {
        Self::bare(max_length).await.ready().await
    }

    async fn ready(self) -> Self {
        self.topology.declare(&self.connection).await.expect("fresh names can be declared");
        self.store.create_database().await.expect("the test's user may make databases");
        self.store.migrate().await.expect("a new database can be migrated");
        self
    }

    /// The same on these servers, for a test that brings its own. The database of the address is not used.
    pub async fn on(amqp_url: &str, database_url: &str) -> Self {
        Self::named(amqp_url.to_owned(), database_url.to_owned(), None).await.ready().await
    }

    /// Names only: nothing is declared, nothing migrated.
    pub async fn bare(max_length: Option<u32>) -> Self {
        Self::named(server("SLUICE_TEST_AMQP_URL"), server("SLUICE_TEST_DATABASE_URL"), max_length).await
    }

    async fn named(amqp_url: String, database_url: String, max_length: Option<u32>) -> Self {
        let name = format!(
            "t{:08x}",
            PostId::new().to_string().bytes().fold(0u32, |hash, b| hash.rotate_left(5) ^ u32::from(b))
        );
        let base = database_url.rsplit_once('/').map_or(database_url.as_str(), |(base, _)| base);
        let database_url = format!("{base}/sluice_{name}");
        let args = BrokerArgs {
            amqp_url: amqp_url.as_str().into(),
            prefix: name.parse().expect("letters and digits"),
            max_length,
        };
        let connection =
            Connection::connect(&amqp_url, ConnectionProperties::default()).await.expect("RabbitMQ answers");
        let channel = connection.create_channel().await.expect("a channel opens");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms are there");
        Self {
            store: Store::new(&DatabaseArgs { database_url: database_url.as_str().into() }).expect("a good address"),
            topology: Topology::new(&args),
            broker: Broker::new(&args, "test").expect("a good address"),
            prefix: name,
            amqp_url,
            database_url,
            connection,
            channel,
        }
    }

    /// The program, with this ground's settings and nobody at the keyboard.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command.args(args).env("AMQP_URL", &self.amqp_url).env("DATABASE_URL", &self.database_url);
        command.env("SLUICE_PREFIX", &self.prefix).env("RUST_LOG", "warn").env_remove("SLUICE_MAX_LENGTH");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub async fn sluice(&self, args: &[&str]) -> Ran {
        self.finish(self.start(args)).await
    }

    /// Starts it.
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("the program was built")
    }

    /// Waits for its end.
    pub async fn finish(&self, child: Child) -> Ran {
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it comes to an end");
        Ran::new(output.expect("its output can be read"))
    }

    /// Stores posts as a worker does.
    pub async fn record(&self, posts: &[Post]) {
        let rows: Vec<Row> = posts
            .iter()
            .map(|post| Row {
                post: post.clone(),
                review: Review {
                    verdict: Verdict::Approved,
                    reasons: Vec::new(),
                    scores: Vec::new(),
                    shadow: Vec::new(),
                    ruleset: "test@0".to_owned(),
                },
                reviewed_at: OffsetDateTime::now_utc(),
                attempts: 1,
                sender: None,
            })
            .collect();
        self.store.insert(&rows, "test").await.expect("rows can be stored");
    }

    /// The ids that `dlq list` gives, in its order.
    pub async fn listed(&self) -> Vec<String> {
        self.sluice(&["dlq", "list", "--json"])
            .await
            .ok()
            .lines()
            .iter()
            .map(|dead_letter| text(dead_letter, "id"))
            .collect()
    }

    /// The program's end at a point that a test named: killed there, as by the kernel.
    pub async fn killed_at(&self, point: &str, args: &[&str]) {
        use std::os::unix::process::ExitStatusExt as _;
        let ran = self.command(args).env("FAILPOINTS", point).output().await.expect("the program was built");
        // Without --all-features there are no such points, and it lives.
        assert_eq!(ran.status.signal(), Some(9), "{point}: {}", String::from_utf8_lossy(&ran.stderr));
        // The broker gives back what a dead consumer held, a moment later.
        let free = async || self.sluice(&["dlq", "list"]).await.code == Some(0);
        until("the lock is free again", free).await;
    }

    /// Changes the database.
    pub async fn execute(&self, statement: &str, values: impl Into<mysql_async::Params> + Send) {
        let url = mysql_async::Opts::from_url(&self.database_url).expect("a good address");
        let mut connection = mysql_async::Conn::new(url).await.expect("MySQL answers");
        connection.exec_drop(statement, values).await.expect("a good statement");
        connection.disconnect().await.expect("it can be closed");
    }

    /// What `dlq export` writes of each dead letter, without the way it came by, in an order that is always the same.
    pub async fn exported(&self) -> Vec<String> {
        let lines = self.sluice(&["dlq", "export"]).await.ok().lines();
        let mut dead_letters: Vec<String> = lines
            .into_iter()
            .map(|mut line| {
                line["dead_letter"].as_object_mut().expect("an object").remove("exchange");
                line["dead_letter"].to_string()
            })
            .collect();
        dead_letters.sort();
        dead_letters
    }

    /// One value of the database.
    pub async fn value<T: mysql_async::prelude::FromValue + Send + 'static>(&self, query: &str) -> T {
        let url = mysql_async::Opts::from_url(&self.database_url).expect("a good address");
        let mut connection = mysql_async::Conn::new(url).await.expect("MySQL answers");
        let value = connection.query_first::<T, _>(query).await.expect("a good query").expect("a row");
        connection.disconnect().await.expect("it can be closed");
        value
    }

    /// Changes something in the database.
    pub async fn sql(&self, statement: &str) {
        let url = mysql_async::Opts::from_url(&self.database_url).expect("a good address");
        let mut connection = mysql_async::Conn::new(url).await.expect("MySQL answers");
        connection.query_drop(statement).await.expect("a good statement");
        connection.disconnect().await.expect("it can be closed");
    }
}
