//! Both servers together: known from a record, or brought up at the same time.

use std::process::Child;
use std::time::Duration;

use super::error::StackError;
use super::ground::Ground;
use super::rabbitmq::{self, Broker, Settings};
use super::record::{RabbitmqPorts, Record};
use super::secrets::Secrets;
use super::server::Server;
use super::{database, ports};

/// How often a server is started on other ports when someone else was quicker to take one.
const ATTEMPTS: usize = 5;

impl RabbitmqPorts {
    /// Ports that are free at this moment.
    pub(super) fn draw() -> Result<Self, StackError> {
        let [amqp, management, distribution, epmd, amqps] = ports::draw()?;
        Ok(Self { amqp, management, distribution, epmd, amqps })
    }
}

/// A stack's two servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) rabbitmq: Server,
    pub(super) management_port: u16,
    pub(super) amqps_port: u16,
    pub(super) database: Server,
}

impl Servers {
    /// The servers of a record, as they are: running or not.
    pub(super) fn known(ground: &Ground, record: &Record) -> Self {
        Self {
            rabbitmq: rabbitmq(ground, record.rabbitmq),
            management_port: record.rabbitmq.management,
            amqps_port: record.rabbitmq.amqps,
            database: database::server(ground, record.database),
        }
    }

    /// The servers of a record, running: starts what does not run, and records the ports they ended up with.
    pub(super) async fn raise(
        ground: &Ground,
        record: Record,
        secrets: &Secrets,
        consumer_timeout: Option<Duration>,
    ) -> Result<Self, StackError> {
        let rabbitmq = raise_rabbitmq(ground, record.rabbitmq, secrets, consumer_timeout);
        let database = raise_database(ground, record.database, secrets);
        let ((rabbitmq, ports), database) = tokio::try_join!(rabbitmq, database)?;
        ground.folder.write_record(&Record { rabbitmq: ports, database: database.port(), ..record })?;
        Ok(Self { rabbitmq, management_port: ports.management, amqps_port: ports.amqps, database })
    }

    /// The names of those that do not run.
    pub(super) fn dead(&self) -> Vec<&'static str> {
        let both = [&self.rabbitmq, &self.database];
        both.into_iter().filter(|server| !server.is_running()).map(Server::name).collect()
    }

    /// Ends both in their own time.
    pub(super) async fn stop(&self) -> Result<(), StackError> {
        let (rabbitmq, database) = tokio::join!(self.rabbitmq.stop_all(), self.database.stop_all());
        rabbitmq.and(database)
    }

    /// Their processes that are children of this one, to be waited for by someone else.
    pub(super) fn take_children(&self) -> Vec<Child> {
        [&self.rabbitmq, &self.database].into_iter().flat_map(Server::take_children).collect()
    }
}

fn rabbitmq(ground: &Ground, ports: RabbitmqPorts) -> Server {
    Broker::alone(ports).server(ground, rabbitmq::epmd(ground, ports.epmd))
}

async fn raise_rabbitmq(
    ground: &Ground,
    mut ports: RabbitmqPorts,
    secrets: &Secrets,
    consumer_timeout: Option<Duration>,
) -> Result<(Server, RabbitmqPorts), StackError> {
    let settings = Settings { consumer_timeout, ..Settings::default() };
    let mut attempt = 1;
    loop {
        let server = rabbitmq(ground, ports);
        if !server.is_running() {
            rabbitmq::configure(&ground.folder, &Broker::alone(ports), secrets, &settings)?;
        }
        match server.start().await {
            Ok(()) => return Ok((server, ports)),
            Err(error @ StackError::PortTaken { .. }) if attempt < ATTEMPTS => {
                tracing::debug!(%error, "drawing other ports");
                server.kill_all().await?;
                ports = RabbitmqPorts::draw()?;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn raise_database(ground: &Ground, mut port: u16, secrets: &Secrets) -> Result<Server, StackError> {
    database::prepare(ground, secrets).await?;
    let mut attempt = 1;
    loop {
        let server = database::server(ground, port);
        match server.start().await {
            Ok(()) => return Ok(server),
            Err(error @ StackError::PortTaken { .. }) if attempt < ATTEMPTS => {
                tracing::debug!(%error, "drawing another port");
                server.kill_all().await?;
                [port] = ports::draw()?;
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
