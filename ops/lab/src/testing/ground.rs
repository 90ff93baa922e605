//! A test's own ground: a prefix in RabbitMQ and a database in MySQL that nobody else uses, gone when it is dropped.

use std::net::SocketAddr;
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use mysql_async::prelude::Queryable;

use sluice_core::config::{BrokerArgs, DatabaseArgs};
use sluice_core::post::{Post, PostId};
use sluice_mysql::Store;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::Topology;

/// Where the test servers are, as `ops/test` and `sluice-lab stack run` say it.
const BROKER: &str = "SLUICE_TEST_AMQP_URL";
const DATABASE: &str = "SLUICE_TEST_DATABASE_URL";

/// How long the cleaning at the end may take.
const CLEANING: Duration = Duration::from_secs(20);

/// A test's own prefix and database on the test servers.
pub struct Ground {
    /// The prefix, in RabbitMQ and as the database's name.
    pub name: String,
    /// RabbitMQ's address.
    pub amqp_url: String,
    /// The database's address.
    pub database_url: String,
    server: mysql_async::Opts,
}

fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run ops/test, or one test with `sluice-lab stack run -- cargo test NAME`")
    })
}

impl Ground {
    /// A new ground on the test servers: an empty database, and names that nobody has declared yet.
    ///
    /// # Panics
    /// When there are no test servers.
    pub async fn new() -> Self {
        let database = address(DATABASE);
        let (server, _) = database.rsplit_once('/').expect("an address with a database");
        Self::on(&address(BROKER), server).await
    }

    /// A new ground on these servers, for a test that brings its own: RabbitMQ's address, and MariaDB's without a
    /// database.
    ///
    /// # Panics
    /// When the database server does not answer.
    pub async fn on(amqp_url: &str, database_server: &str) -> Self {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        let options = mysql_async::Opts::from_url(database_server).expect("an address of a server");
        let mut connection = mysql_async::Conn::new(options.clone()).await.expect("the test database answers");
        connection.query_drop(format!("CREATE DATABASE {name}")).await.expect("the test user may create databases");
        connection.disconnect().await.expect("an orderly end");
        let database_url = format!("{database_server}/{name}");
        Self { amqp_url: amqp_url.to_owned(), database_url, server: options, name }
    }

    /// The settings for RabbitMQ.
    #[must_use]
    pub fn broker_args(&self) -> BrokerArgs {
        BrokerArgs {
            amqp_url: self.amqp_url.as_str().into(),
            prefix: self.name.parse().expect("a valid prefix"),
            max_length: None,
        }
    }

    /// The settings for MySQL.
    #[must_use]
    pub fn database_args(&self) -> DatabaseArgs {
        DatabaseArgs { database_url: self.database_url.as_str().into() }
    }

    /// RabbitMQ.
    #[must_use]
    pub fn broker(&self) -> Broker {
        Broker::new(&self.broker_args(), "test").expect("a valid address")
    }

    /// The names in RabbitMQ.
    #[must_use]
    pub fn topology(&self) -> Topology {
        Topology::new(&self.broker_args())
    }

    /// MySQL.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::new(&self.database_args()).expect("a valid address")
    }

    /// The environment a program needs to work here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AMQP_URL", self.amqp_url.clone()),
            ("DATABASE_URL", self.database_url.clone()),
            ("SLUICE_PREFIX", self.name.clone()),
        ]
    }

    /// Where RabbitMQ listens, to put a proxy before it.
    #[must_use]
    pub fn broker_address(&self) -> SocketAddr {
        self.broker().at().parse().expect("a test server has a numeric address")
    }

    /// Where MySQL listens, to put a proxy before it.
    #[must_use]
    pub fn database_address(&self) -> SocketAddr {
        self.store().at().parse().expect("a test server has a numeric address")
    }

    /// The database's address by way of a proxy.
    #[must_use]
    pub fn database_url_via(&self, proxy: SocketAddr) -> String {
        self.database_url.replace(&self.database_address().to_string(), &proxy.to_string())
    }

    /// RabbitMQ's address by way of a proxy.
    #[must_use]
    pub fn amqp_url_via(&self, proxy: SocketAddr) -> String {
        self.amqp_url.replace(&self.broker_address().to_string(), &proxy.to_string())
    }

    /// A post that nobody else has.
    #[must_use]
    pub fn post(&self, title: &str) -> Post {
        Post {
            id: PostId::new(),
            title: title.to_owned(),
            content: "A text about nothing in particular.".to_owned(),
            author: None,
            submitted_at: time::OffsetDateTime::now_utc(),
        }
    }

    /// Runs a statement in the database.
    pub async fn sql(&self, statement: &str) {
        self.session().await.query_drop(statement).await.expect("the statement is valid");
    }

    /// A connection of the driver's, for locks and transactions.
    pub async fn session(&self) -> mysql_async::Conn {
        let options = mysql_async::Opts::from_url(&self.database_url).expect("a valid address");
        mysql_async::Conn::new(options).await.expect("the test database answers")
    }
}

impl Drop for Ground {
    /// On a separate thread and runtime, because the test's own may be ending with a panic.
    fn drop(&mut self) {
        let (broker, topology) = (self.broker(), self.topology());
        let (server, name) = (self.server.clone(), self.name.clone());
        let cleaned = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            // A failed test may leave a lock on its database: a database left over is better than a test that hangs.
            let clean = async {
                if let Ok(mut connection) = mysql_async::Conn::new(server).await {
                    let _ = connection.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await;
                    let _ = connection.disconnect().await;
                }
                if let Ok(connection) = broker.connect().await {
                    delete(&connection, &topology).await;
                    close(&connection).await;
                }
            };
            runtime.block_on(async {
                let _ = tokio::time::timeout(CLEANING, clean).await;
            });
        });
        let _ = cleaned.join();
    }
}

async fn delete(connection: &lapin::Connection, topology: &Topology) {
    for queue in [topology.queue(), topology.dead_letter_queue()] {
        if let Ok(channel) = connection.create_channel().await {
            let _ = channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
        }
    }
    for exchange in [topology.exchange(), topology.dead_letter_exchange(), topology.decisions()] {
        if let Ok(channel) = connection.create_channel().await {
            let _ = channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await;
        }
    }
}
