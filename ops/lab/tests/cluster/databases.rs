//! Three MariaDB nodes that are one database.

use std::time::Instant;

use mysql_async::prelude::Queryable as _;
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};
use sluice_lab::testing::eventually;

const NODES: [usize; 3] = [0, 1, 2];

async fn databases() -> Cluster {
    let begun = Instant::now();
    let options = ClusterOptions { brokers: 0, ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await.expect("three databases");
    println!("three databases took {:.1?}", begun.elapsed());
    cluster
}

async fn session(cluster: &Cluster, i: usize) -> mysql_async::Conn {
    mysql_async::Conn::from_url(cluster.database_url("sluice", &[i])).await.expect("a database server")
}

async fn kill(cluster: &Cluster, i: usize) {
    cluster.database(i).kill().await.expect("it is ours to kill");
}

async fn put(cluster: &Cluster, i: usize, text: &str) {
    session(cluster, i).await.query_drop(format!("INSERT INTO kept VALUES ('{text}')")).await.expect("a row");
}

/// Waits until a node has these rows: it applies what another has committed a moment later.
async fn has(cluster: &Cluster, i: usize, rows: &[&str]) {
    eventually(&format!("{rows:?} on {i}"), async || {
        let seen: Vec<String> =
            session(cluster, i).await.query("SELECT text FROM kept ORDER BY text").await.map_err(|e| e.to_string())?;
        if seen == rows { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

#[tokio::test]
async fn three_databases_are_one_and_keep_what_they_have_whichever_of_them_are_killed() {
    let cluster = databases().await;
    session(&cluster, 0).await.query_drop("CREATE TABLE kept (text VARCHAR(20) PRIMARY KEY)").await.expect("a table");
    put(&cluster, 0, "a").await;
    for i in NODES {
        has(&cluster, i, &["a"]).await;
    }

    let begun = Instant::now();
    kill(&cluster, 2).await;
    assert!(!cluster.synced(2).await);
    // The others go on when they have noticed.
    put(&cluster, 1, "b").await;
    cluster.database(2).start().await.expect("it comes back");
    cluster.until_synced(2).await.expect("it has what it missed");
    println!("one killed, a row, started again: {:.1?}", begun.elapsed());
    has(&cluster, 2, &["a", "b"]).await;

    let begun = Instant::now();
    for i in NODES {
        kill(&cluster, i).await;
    }
    cluster.bootstrap_databases().await.expect("they come back");
    println!("all killed, begun anew: {:.1?}", begun.elapsed());
    put(&cluster, 2, "c").await;
    for i in NODES {
        // The one that gave its data to another is synced again a moment after that one.
        cluster.until_synced(i).await.expect("it is one of three");
        has(&cluster, i, &["a", "b", "c"]).await;
    }

    // Two of three gone: the third takes nothing. Started together they find each other again.
    let begun = Instant::now();
    tokio::join!(kill(&cluster, 0), kill(&cluster, 1));
    eventually("the third to notice", async || if cluster.synced(2).await { Err("it is synced") } else { Ok(()) })
        .await;
    cluster.start_databases().await.expect("they come back");
    cluster.until_synced(2).await.expect("it has a majority again");
    println!("two killed, noticed, started again: {:.1?}", begun.elapsed());
    put(&cluster, 2, "d").await;

    let begun = Instant::now();
    tokio::join!(kill(&cluster, 0), kill(&cluster, 1), kill(&cluster, 2));
    cluster.start_databases().await.expect("they come back");
    println!("all killed, started again: {:.1?}", begun.elapsed());
    for i in NODES {
        has(&cluster, i, &["a", "b", "c", "d"]).await;
    }
    cluster.stop().await.expect("all of it ends");
}
