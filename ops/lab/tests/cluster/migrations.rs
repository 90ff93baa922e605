//! Ten programs bring the schema up at once, on three nodes that do not share a lock.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use sluice_core::config::DatabaseArgs;
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};
use sluice_lab::testing::eventually;
use sluice_mysql::{SchemaError, Store};

#[tokio::test(flavor = "multi_thread")]
async fn ten_migrations_at_once_on_three_databases_of_a_cluster_all_succeed() {
    let options = ClusterOptions { brokers: 0, ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await.expect("three databases");
    for round in 0..3 {
        let name = format!("round_{round}");
        let store = |number: usize| {
            let url = cluster.database_url(&name, &[number % 3]);
            Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address")
        };
        store(0).create_database().await.expect("a database");
        // What one node has made is there a moment later on the others.
        for number in 0..3 {
            eventually("the database to be there", async || match store(number).check_schema().await {
                Err(SchemaError::Store(failed)) => Err(failed),
                _ => Ok(()),
            })
            .await;
        }
        let migrate = async |number: usize| store(number).migrate().await.map(|migrated| migrated.version);
        let versions = join_all((0..10).map(migrate)).await;
        assert!(versions.iter().all(|version| *version == versions[0] && version.is_ok()), "{round}: {versions:?}");
    }
    cluster.stop().await.expect("all of it ends");
}

#[tokio::test]
async fn whoever_has_the_lock_of_a_cluster_keeps_it_while_it_works_and_for_half_a_minute_after_its_death() {
    let options = ClusterOptions { brokers: 0, databases: 1, ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await.expect("a database");
    let url = cluster.database_url("sluice", &[0]);
    let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address");
    store.create_database().await.expect("a database");
    let mut session = Conn::from_url(&url).await.expect("a database server");
    let ended = Cell::new(false);
    let migrating = async {
        let migrated = store.migrate().await.expect("a schema");
        ended.set(true);
        migrated.version
    };
    let watching = async {
        let mut times = BTreeSet::new();
        while !ended.get() {
            // Until the first step the table is not there.
            let time = session.query_first::<String, _>("SELECT CAST(since AS CHAR) FROM migration_lock").await;
            times.extend(time.ok().flatten());
        }
        times
    };
    let (version, times) = tokio::join!(migrating, watching);
    assert!(times.len() > 1, "it says before each step that it goes on: {times:?}");
    let row = "SELECT COUNT(*) FROM migration_lock";
    assert_eq!(session.query_first(row).await.expect("a table"), Some(0), "who has ended leaves none");
    session.query_drop("DELETE FROM refinery_schema_history WHERE version > 15").await.expect("it is as if unnoted");
    let killed = "INSERT INTO migration_lock VALUES (1, 'killed', UTC_TIMESTAMP(6) - INTERVAL 24 SECOND)";
    let begun = Instant::now();
    session.query_drop(killed).await.expect("its lock");
    assert_eq!(store.migrate().await.expect("a schema").version, version);
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}: it had the lock at once", begun.elapsed());
    assert_eq!(session.query_first(row).await.expect("a table"), Some(0), "and none is left");
    session.disconnect().await.expect("it can be closed");
    cluster.stop().await.expect("all of it ends");
}
