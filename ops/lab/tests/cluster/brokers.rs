//! Three RabbitMQ nodes that are one broker.

use std::time::{Duration, Instant};

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions, PartitionHandling};
use sluice_lab::testing::eventually;

use super::traces::{is_in_a_file, until};

const QUEUE: &str = "kept";

async fn brokers(options: ClusterOptions) -> Cluster {
    let begun = Instant::now();
    let cluster = Cluster::start(ClusterOptions { databases: 0, ..options }).await.expect("three brokers");
    println!("three brokers took {:.1?}", begun.elapsed());
    cluster
}

async fn channel(cluster: &Cluster, i: usize) -> (Connection, Channel) {
    let url = cluster.amqp_url(&[i]);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("a broker");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

async fn declare(cluster: &Cluster, i: usize) {
    let (_connection, channel) = channel(cluster, i).await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(QUEUE.into(), durable, quorum).await.expect("a queue");
    // For about a second a node knows a new quorum queue in memory only; killed then, it would have lost it.
    let data = (1..=3).map(|number| cluster.dir().join(format!("rabbitmq-{number}/data"))).collect::<Vec<_>>();
    until("it is on disk", || data.iter().all(|data| is_in_a_file(data, "names.dets", QUEUE))).await;
}

async fn publish(cluster: &Cluster, i: usize) {
    let (_connection, channel) = channel(cluster, i).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let (options, persistent) = (BasicPublishOptions::default(), BasicProperties::default().with_delivery_mode(2));
    let publish = channel.basic_publish("".into(), QUEUE.into(), options, b"a message", persistent);
    assert_eq!(publish.await.expect("a publish").await.expect("a confirm"), Confirmation::Ack(None));
}

/// Waits for the queue's leader. There is none, either, where its broker has not answered another within a second.
async fn leader(cluster: &Cluster) -> usize {
    eventually("a leader", async || {
        let leader = cluster.leader_of(QUEUE).await.map_err(|error| error.to_string())?;
        leader.ok_or_else(|| "none".to_owned())
    })
    .await
}

#[tokio::test]
async fn a_queue_of_three_brokers_has_three_members_and_elects_another_leader_when_its_own_is_killed() {
    let ticktime = Some(Duration::from_secs(10));
    let cluster = brokers(ClusterOptions { net_ticktime: ticktime, ..ClusterOptions::default() }).await;
    assert_eq!(cluster.rabbitmqctl(1, &["eval", "net_kernel:get_net_ticktime()."]).await.expect("an answer"), "10");
    declare(&cluster, 0).await;
    assert_eq!(cluster.members_of(QUEUE).await.expect("an answer"), [0, 1, 2]);
    assert_eq!(cluster.members_of("another").await.expect("an answer"), [0; 0]);
    publish(&cluster, 1).await;

    let leader = leader(&cluster).await;
    cluster.broker(leader).kill().await.expect("it is ours to kill");
    let next = eventually("another leader", async || {
        let now = cluster.leader_of(QUEUE).await.map_err(|error| error.to_string())?;
        now.filter(|now| *now != leader).ok_or_else(|| format!("{now:?}"))
    })
    .await;
    let (_connection, channel) = channel(&cluster, next).await;
    // To those who ask a leader that was elected in this moment the queue is empty.
    let got = eventually("the message", async || {
        let got = channel.basic_get(QUEUE.into(), BasicGetOptions { no_ack: true }).await;
        got.expect("the queue is there").ok_or("it is empty")
    })
    .await;
    assert_eq!(got.delivery.data, b"a message");

    cluster.broker(leader).start().await.expect("it comes back");
    publish(&cluster, leader).await;

    // A frozen broker is not asked, and a thawed one goes on.
    cluster.broker(0).freeze().expect("it runs");
    assert!(cluster.broker(0).is_frozen());
    let members = eventually("an answer of another", async || cluster.members_of(QUEUE).await).await;
    assert_eq!(members, [0, 1, 2]);
    cluster.broker(0).thaw().expect("it runs");
    assert!(!cluster.broker(0).is_frozen());

    let dir = cluster.dir().to_owned();
    cluster.stop().await.expect("all of it ends");
    assert!(!dir.exists(), "{} is left", dir.display());
}

#[tokio::test]
async fn a_minority_that_pauses_takes_no_client_until_the_others_are_started() {
    let partition_handling = PartitionHandling::PauseMinority;
    let cluster = brokers(ClusterOptions { partition_handling, ..ClusterOptions::default() }).await;
    declare(&cluster, 0).await;
    publish(&cluster, 0).await;

    tokio::join!(async { cluster.broker(1).kill().await.expect("it is ours") }, async {
        cluster.broker(2).kill().await.expect("it is ours");
    });
    // RabbitMQ 4.3 does not pause: what it knows is in a quorum of its own, and a minority cannot change it.
    if cluster.broker(0).version().await.is_some_and(|version| version.starts_with("RabbitMQ 3")) {
        eventually("the third to pause", async || {
            let refused = Connection::connect(&cluster.amqp_url(&[0]), ConnectionProperties::default()).await;
            refused.err().ok_or("it takes a client")
        })
        .await;
        assert!(cluster.broker(0).is_running());
        // Its listeners end first; until all of it has, its tools have answers.
        eventually("no broker to answer", async || match cluster.members_of(QUEUE).await {
            Err(_) => Ok(()),
            Ok(members) => Err(members),
        })
        .await;
    }
    cluster.start_brokers().await.expect("they come back");
    leader(&cluster).await;
    publish(&cluster, 1).await;
    cluster.stop().await.expect("all of it ends");
}
