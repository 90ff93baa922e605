//! A consumer in its simplest correct form: prefetch = 1, one insert, then the acknowledgement.

use anyhow::Context as _;
use clap::Args;
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, Params, Pool, PoolConstraints, PoolOpts};
use sluice_core::config::SecretUrl;
use sluice_core::post::Post;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use super::super::floor::database::{statement, values};

/// Arguments of the consumer.
#[derive(Debug, Args)]
pub(super) struct ConsumeArgs {
    /// RabbitMQ URL
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    amqp: SecretUrl,
    /// Queue to consume from
    #[arg(long)]
    queue: String,
    /// Database URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: SecretUrl,
    /// Number of consumers, each with a channel and a connection of its own
    #[arg(long)]
    consumers: u16,
}

pub(super) async fn run(args: ConsumeArgs) -> anyhow::Result<()> {
    let opts = Opts::from_url(args.database.expose()).context("the address of the database")?;
    let constraints = PoolConstraints::new(0, args.consumers.into()).unwrap_or_default();
    let pool_opts = PoolOpts::default().with_constraints(constraints);
    let pool = Pool::new(mysql_async::OptsBuilder::from_opts(opts).prefer_socket(false).pool_opts(pool_opts));
    let connection = Connection::connect(args.amqp.expose(), ConnectionProperties::default()).await?;
    let mut consumers = JoinSet::new();
    for _ in 0..args.consumers {
        let (channel, database) = (connection.create_channel().await?, pool.get_conn().await?);
        consumers.spawn(consume(channel, args.queue.clone(), database));
    }
    match consumers.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

async fn consume(channel: Channel, queue: String, mut database: Conn) -> anyhow::Result<()> {
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut deliveries =
        channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default()).await?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        let post = Post::from_message(&delivery.data, None, OffsetDateTime::now_utc())?;
        let values = values(&post, "simple").to_vec();
        database.exec_drop(statement(1), Params::Positional(values)).await?;
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}
