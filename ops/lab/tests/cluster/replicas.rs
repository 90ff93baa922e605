//! A primary that is lost, and its replica that is promoted: what was acknowledged is there, or `sluice verify` names it.

use std::collections::BTreeSet;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use serde_json::{Value, json};
use sluice_lab::devstack::cluster::{ClusterOptions, Replication};
use sluice_lab::testing::eventually;
use tokio_util::sync::CancellationToken;

use crate::stage::{Sent, Stage};

/// How long posts come in each part of a test.
const WHILE: Duration = Duration::from_secs(2);

/// What a worker says when it pauses, and not what it repeats.
const PAUSED: &str = " paused: mysql code=";

async fn stage(replication: Replication) -> Stage {
    Stage::new(ClusterOptions { brokers: 1, databases: 2, replication, ..ClusterOptions::default() }, 1).await
}

/// The administrator, on the primary (0) or the replica (1).
async fn admin(stage: &Stage, node: usize) -> Conn {
    Conn::from_url(stage.cluster.database_url(&stage.ground.name, &[node])).await.expect("it answers")
}

async fn run(admin: &mut Conn, statements: &[&str]) {
    for statement in statements {
        admin.query_drop(*statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Has posts sent for a while.
async fn send(stage: &Stage) -> Sent {
    let enough = CancellationToken::new();
    let (sent, ()) = tokio::join!(stage.send(&enough), async {
        tokio::time::sleep(WHILE).await;
        enough.cancel();
    });
    sent
}

/// Loses the primary, and makes the replica one, as the manual says.
async fn fail_over(stage: &Stage) {
    stage.cluster.database(0).kill().await.expect("it is ours to kill");
    let mut replica = admin(stage, 1).await;
    run(&mut replica, &["START SLAVE SQL_THREAD"]).await;
    eventually("what the replica received to be applied", async || {
        let status: Row = replica.query_first("SHOW SLAVE STATUS").await.expect("an answer").expect("it is a replica");
        let position = |file: &str, position: &str| (status.get::<String, _>(file), status.get::<u64, _>(position));
        let received = position("Master_Log_File", "Read_Master_Log_Pos");
        let applied = position("Relay_Master_Log_File", "Exec_Master_Log_Pos");
        if received == applied { Ok(()) } else { Err((received, applied)) }
    })
    .await;
    run(&mut replica, &["STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = 0"]).await;
}

/// The ids of the posts that a node has.
async fn ids(stage: &Stage, node: usize) -> BTreeSet<String> {
    let ids: Vec<String> = admin(stage, node).await.query("SELECT id FROM posts").await.expect("a table of posts");
    ids.into_iter().collect()
}

/// No post needed a second attempt.
async fn no_attempt_is_spent(stage: &Stage, node: usize) {
    let attempts = admin(stage, node).await.query_first("SELECT MAX(attempts) FROM posts").await.expect("a number");
    assert_eq!(attempts, Some(1), "{}", stage.workers[0].said());
}

/// What `sluice verify` says, and whether it finds all in order.
async fn verify(stage: &Stage) -> (Value, bool) {
    let ran = stage.verify().await;
    let said = serde_json::from_slice(&ran.stdout);
    let code = ran.status.code();
    assert!(code == Some(0) || code == Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    (said.expect("an object"), code == Some(0))
}

/// All that was accepted is stored, once.
async fn nothing_is_lost(stage: &Stage) {
    let (said, in_order) = verify(stage).await;
    let numbers = ["missing", "duplicate", "dead", "queued"].map(|key| &said[key]);
    assert!(in_order && numbers == [&json!(0); 4] && said["recorded"] == said["accepted"], "{said}");
}

#[tokio::test]
async fn a_replica_that_commits_wait_for_has_every_post_when_it_is_promoted_however_far_it_lags_behind() {
    let stage = stage(Replication::SemiSync).await;
    let enough = CancellationToken::new();
    let story = async {
        tokio::time::sleep(WHILE).await;
        run(&mut admin(&stage, 1).await, &["STOP SLAVE SQL_THREAD"]).await;
        tokio::time::sleep(WHILE).await;
        let (stored, applied) = (ids(&stage, 0).await, ids(&stage, 1).await);
        assert!(stored.len() > applied.len() + 10, "it lags behind: {} of {}", applied.len(), stored.len());
        fail_over(&stage).await;
        assert!(ids(&stage, 1).await.is_superset(&stored));
        tokio::time::sleep(WHILE).await;
        enough.cancel();
    };
    let (sent, ()) = tokio::join!(stage.send(&enough), story);
    stage.accounted(&sent).await;
    assert!(sent.refused.is_empty(), "{:?}", sent.refused);
    no_attempt_is_spent(&stage, 1).await;
    nothing_is_lost(&stage).await;
    println!("{} accepted, none lost", sent.accepted.len());
    stage.cluster.stop().await.expect("all of it ends");
}

#[tokio::test]
async fn while_commits_wait_for_a_replica_that_is_gone_no_post_is_acknowledged_and_none_spends_an_attempt() {
    let stage = stage(Replication::SemiSync).await;
    let (worker, mut replica) = (&stage.workers[0], admin(&stage, 1).await);
    let first = send(&stage).await;
    stage.accounted(&first).await;

    // It comes back: the work goes on.
    run(&mut replica, &["STOP SLAVE"]).await;
    let second = send(&stage).await;
    worker.says(PAUSED, 1).await;
    tokio::time::sleep(WHILE).await;
    run(&mut replica, &["START SLAVE"]).await;
    stage.accounted(&second).await;
    worker.says("resumed: mysql is back", 1).await;
    no_attempt_is_spent(&stage, 0).await;

    // It does not, and neither does the primary: what only that one stored is still in the queue.
    run(&mut replica, &["STOP SLAVE IO_THREAD"]).await;
    let before = worker.said().matches(PAUSED).count();
    let third = send(&stage).await;
    worker.says(PAUSED, before + 1).await;
    tokio::time::sleep(WHILE).await;
    fail_over(&stage).await;
    stage.accounted(&third).await;
    no_attempt_is_spent(&stage, 1).await;
    nothing_is_lost(&stage).await;
    stage.cluster.stop().await.expect("all of it ends");
}

#[tokio::test]
async fn what_an_asynchronous_replica_lacks_when_it_is_promoted_is_named_and_can_be_sent_again() {
    let stage = stage(Replication::Asynchronous).await;
    let first = send(&stage).await;
    stage.accounted(&first).await;
    eventually("the replica to have them", async || {
        let (stored, applied) = (ids(&stage, 0).await, ids(&stage, 1).await);
        if stored == applied { Ok(()) } else { Err(applied.len()) }
    })
    .await;
    run(&mut admin(&stage, 1).await, &["STOP SLAVE IO_THREAD"]).await;
    let second = send(&stage).await;
    stage.accounted(&second).await;
    let stored = ids(&stage, 0).await;
    fail_over(&stage).await;

    let lost: BTreeSet<String> = stored.difference(&ids(&stage, 1).await).cloned().collect();
    assert_eq!(lost.len(), second.accepted.len());
    let (said, in_order) = verify(&stage).await;
    assert!(!in_order, "{said}");
    assert_eq!((&said["missing"], &said["recorded"]), (&json!(lost.len()), &json!(first.accepted.len())), "{said}");
    assert_eq!(said["missing_ids"], json!(lost), "exactly those");

    // Only who sent them has them still.
    stage.send_again(&second).await;
    stage.accounted(&second).await;
    assert_eq!(ids(&stage, 1).await, stored);
    nothing_is_lost(&stage).await;
    println!("{} accepted, {} lost, named, and sent again", first.accepted.len() + second.accepted.len(), lost.len());
    stage.cluster.stop().await.expect("all of it ends");
}
