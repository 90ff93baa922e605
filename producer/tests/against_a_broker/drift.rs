//! Queues that are deleted, or made anew by somebody else, while the program runs.

use std::time::{Duration, Instant};

use lapin::Channel;
use lapin::types::FieldTable;
use nix::sys::signal::Signal;
use sluice_core::config::BrokerArgs;
use sluice_lab::testing::{eventually, in_time};
use sluice_rabbit::broker::close;
use sluice_rabbit::topology::{ROUTING_KEY, Topology};

use crate::publish::text;
use crate::storm::Storm;
use crate::support::{Ground, ended, ids, in_order, receipts, until, until_lines};

/// The longest from a deletion to the first post that is accepted: two connections may have to be given up first, one
/// after the other.
const FIXED_WITHIN: Duration = Duration::from_secs(7);

/// The most posts of which a run has no receipt yet: those of four chunks on their way, and of one that is settled.
const UNDER_WAY: usize = 5 * 500;

/// What somebody deletes.
#[derive(Debug, Clone, Copy)]
enum Deletion {
    Queue,
    Exchange,
    Binding,
}

impl Deletion {
    /// Deletes it. RabbitMQ may close the connection that asks for it (`INTERNAL_ERROR`, seen while posts were on their
    /// way to the queue), so each try has its own.
    async fn strike(self, ground: &Ground) {
        eventually("the deletion", async || {
            let connection = ground.connect().await;
            let channel = connection.create_channel().await.map_err(|error| error.to_string())?;
            let deleted = self.ask(ground, &channel).await.map_err(|error| error.to_string());
            close(&connection).await;
            deleted
        })
        .await;
    }

    async fn ask(self, ground: &Ground, channel: &Channel) -> lapin::Result<()> {
        let (queue, exchange) = (ground.topology().queue(), ground.topology().exchange());
        let (queue, exchange) = (queue.as_str().into(), exchange.as_str().into());
        match self {
            Self::Queue => channel.queue_delete(queue, Default::default()).await.map(drop),
            Self::Exchange => channel.exchange_delete(exchange, Default::default()).await,
            Self::Binding => channel.queue_unbind(queue, exchange, ROUTING_KEY.into(), FieldTable::default()).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_makes_posts_unroutable_until_the_producer_has_declared_it_again() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let storm = Storm::begin(&server, 8);
    let mut fixed = Instant::now();
    for deletion in [Deletion::Queue, Deletion::Exchange, Deletion::Binding] {
        storm.accepts(50).await;
        // Seen too soon, the deletion has cost nobody anything.
        until("posts are unroutable", async || {
            let struck = Instant::now();
            deletion.strike(&ground).await;
            fixed = Instant::now();
            let took = storm.accepts_after(fixed).await;
            in_time(format!("{deletion:?}: accepted again"), took, FIXED_WITHIN);
            let answers = storm.since(struck);
            let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 202).collect();
            // What was on its way at that moment fails with an error of the broker's own, or is never answered:
            // RabbitMQ may stop reading a connection for good whose posts were on their way to a quorum queue that is
            // deleted. A queue whose deletion takes its time refuses them twice running, as one without a leader does.
            let known = ["unroutable", "broker-unreachable", "unconfirmed", "queue-full", "no-leader"];
            assert!(refused.iter().all(|answer| known.contains(&answer.problem.as_str())), "{deletion:?}: {refused:?}");
            println!("{deletion:?}: {} refused, accepted after {took:?}", refused.len());
            refused.iter().any(|answer| answer.problem == "unroutable")
        })
        .await;
    }
    let since = storm.since(fixed).into_iter().filter(|answer| answer.status == 202 && answer.asked >= fixed);
    let since: Vec<_> = since.filter_map(|answer| answer.id).collect();
    storm.end().await;
    let found = ids(&ground.take_all().await);
    assert!(since.iter().all(|id| found.binary_search(id).is_ok()), "an accepted post is not in the new queue");
    // It checks once a second, and logs what it finds: posts may be accepted before.
    eventually("the end to be told", async || {
        let said = server.program.said();
        if said.contains("declared again") || said.contains("accepts posts again") { Ok(()) } else { Err(said) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_somebody_made_anew_is_found_and_no_post_is_accepted_into_it() {
    let ground = Ground::new();
    let server = ground.serve().await;
    assert_eq!(server.submit("before").await.status, 202);
    let connection = ground.connect().await;
    let prefix = ground.prefix.parse().expect("a good prefix");
    let other = Topology::new(&BrokerArgs { amqp_url: ground.url.as_str().into(), prefix, max_length: Some(5) });
    // The producer may be quicker to put the deleted queue back.
    until("the queue is of another make", async || {
        Deletion::Queue.strike(&ground).await;
        other.declare(&connection).await.is_ok()
    })
    .await;
    // Until it is found, the queue takes five posts and is full.
    until("the difference is found", async || {
        server.submit("t").await.text.contains("urn:sluice:problem:not-declared")
    })
    .await;
    let reply = server.submit("t").await;
    assert_eq!(reply.problem(), "not-declared");
    assert!(reply.text.contains("x-max-length"), "{}", reply.text);
    assert!(server.get("/readyz").await.text.contains("x-max-length"));
    server.measures("sluice_producer_broker_up 0").await;
    Deletion::Queue.strike(&ground).await;
    until("posts are accepted again", async || server.submit("t").await.status == 202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_when_its_queue_was_deleted() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().expect("a folder");
    let ids_file = folder.path().join("receipts");
    let program = ground.start(&["generate", "--rate", "4000", "--receipts", text(&ids_file)], &[]);
    until_lines(&ids_file, 500).await;
    Deletion::Queue.strike(&ground).await;
    let before = in_order(&ids_file).len();
    until_lines(&ids_file, before + UNDER_WAY + 1000).await;
    program.signal(Signal::SIGTERM);
    let output = ended(program).await;
    assert_eq!(output.code, Some(0), "{}", output.said);
    // In whose words depends on how far the deletion had come when the posts arrived.
    assert!(output.said.contains("waiting: "), "{}", output.said);
    let (written, found) = (receipts(&ids_file), ids(&ground.take_all().await));
    let strange = found.iter().filter(|id| written.binary_search(id).is_err()).count();
    assert_eq!(strange, 0, "posts without a receipt: {}", output.said);
    let since: Vec<_> = in_order(&ids_file).split_off(before + UNDER_WAY);
    let lost = since.iter().filter(|id| found.binary_search(id).is_err()).count();
    assert_eq!(lost, 0, "of {} that were published after the deletion: {}", since.len(), output.said);
}
