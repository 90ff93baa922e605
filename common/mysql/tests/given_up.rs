//! A statement that nobody waits for any more ends in the server too.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use sluice_core::config::DatabaseArgs;
use sluice_core::failure::Kind;
use sluice_core::verdict::{Review, Verdict};
use sluice_lab::testing::{Ground, Proxy, eventually};
use sluice_mysql::{Row, Store};
use time::OffsetDateTime;

fn row(ground: &Ground) -> Row {
    let (reasons, scores, shadow, ruleset) = (Vec::new(), Vec::new(), Vec::new(), "test@0".to_owned());
    let review = Review { verdict: Verdict::Approved, reasons, scores, shadow, ruleset };
    Row { post: ground.post("slow"), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None }
}

/// Waits until so many statements sleep in this test's database.
async fn asleep(ground: &Ground, wanted: u64) {
    let query = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND state = 'User sleep'",
        ground.name
    );
    eventually("statements to sleep, or to be gone", async || {
        let found = ground.session().await.query_first::<u64, _>(&query).await.expect("a count").unwrap_or_default();
        if found == wanted { Ok(()) } else { Err(found) }
    })
    .await;
}

#[tokio::test]
async fn a_statement_whose_connection_broke_is_killed_even_if_the_server_is_out_of_reach_for_a_while() {
    let ground = Ground::new().await;
    ground.store().migrate().await.expect("a database of our own");
    ground.sql("CREATE TRIGGER slow BEFORE INSERT ON posts FOR EACH ROW DO SLEEP(600)").await;
    let line = Proxy::start(ground.database_address()).expect("a free port");
    let url = ground.database_url_via(line.addr());
    let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a good address");
    let row = row(&ground);
    let breaks = async {
        asleep(&ground, 1).await;
        line.cut();
    };
    let (inserted, ()) = tokio::join!(store.insert(std::slice::from_ref(&row), "test"), breaks);
    assert_eq!(inserted.expect_err("its connection broke").kind, Kind::Dependency);
    tokio::time::sleep(Duration::from_secs(1)).await;
    asleep(&ground, 1).await;
    line.heal();
    asleep(&ground, 0).await;
    store.given_up_ended().await;
    ground.sql("DROP TRIGGER slow").await;
    store.insert(&[row], "test").await.expect("the row is not locked").remove(0).expect("it is stored");
}

#[tokio::test]
async fn whoever_waits_for_the_end_of_a_statement_finds_what_it_wrote_undone() {
    let ground = Ground::new().await;
    ground.store().migrate().await.expect("a database of our own");
    ground
        .sql("CREATE TRIGGER slow BEFORE INSERT ON posts FOR EACH ROW IF NEW.title = 'last' THEN DO SLEEP(600); END IF")
        .await;
    let store = ground.store();
    let mut rows: Vec<Row> = (0..500).map(|_| row(&ground)).collect();
    rows[499].post.title = "last".to_owned();
    let mut other = ground.session().await;
    for _ in 0..10 {
        let sleeps = asleep(&ground, 1);
        tokio::select! {
            inserted = store.insert(&rows, "test") => panic!("it should sleep: {inserted:?}"),
            () = sleeps => {}
        }
        store.given_up_ended().await;
        // Fails at once where another transaction still has a row.
        let locked = "SELECT COUNT(*) FROM posts FOR UPDATE NOWAIT";
        let free: Option<u64> = other.query_first(locked).await.expect("no row is locked any more");
        assert_eq!(free, Some(0));
    }
}
