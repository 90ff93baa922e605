//! A table that cannot take back what was tried in it is refused, and nothing is left in it.

use mysql_async::prelude::Queryable as _;
use sluice_core::failure::{Failure, Kind};
use sluice_core::verdict::{Review, Verdict};
use sluice_lab::testing::Ground;
use sluice_mysql::{Row, Store};
use time::OffsetDateTime;

fn row(ground: &Ground) -> Row {
    let review = Review {
        verdict: Verdict::Approved,
        reasons: Vec::new(),
        scores: Vec::new(),
        shadow: Vec::new(),
        ruleset: "test@0".to_owned(),
    };
    Row { post: ground.post("tried"), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None }
}

/// What is said of it, which is the same everywhere.
async fn refusal(store: &Store, ground: &Ground) -> Failure {
    let failure = store.probe().await.expect_err("the probe refuses it");
    assert_eq!((failure.kind, failure.code.as_str()), (Kind::Operator, "mysql_engine"), "{failure}");
    assert_eq!(store.rehearse(&[row(ground)]).await, Err(failure.clone()), "so does a plan");
    assert_eq!(rows(ground).await, 0, "nothing stays of what was tried");
    failure
}

async fn rows(ground: &Ground) -> u64 {
    ground.session().await.query_first("SELECT COUNT(*) FROM posts").await.expect("a count").expect("a row")
}

#[tokio::test]
async fn any_table_of_ours_whose_engine_has_no_transactions_is_refused_by_name() {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("a database of our own");
    let query = "SELECT ENGINE FROM information_schema.ENGINES WHERE ENGINE IN ('Aria', 'MyISAM') AND SUPPORT <> 'NO'";
    let engines: Vec<String> = ground.session().await.query(query).await.expect("engines");
    assert!(!engines.is_empty(), "every server has one of them");
    for engine in &engines {
        for table in ["posts", "operations", "operation_items", "archived_dead_letters", "undone_items"] {
            ground.sql(&format!("ALTER TABLE {table} ENGINE={engine}")).await;
            let message = refusal(&store, &ground).await.message;
            assert!(message.contains(&format!("`{table}` has {engine}")), "{message}");
            assert!(message.contains(&format!("ALTER TABLE `{table}` ENGINE=InnoDB")), "{message}");
            for refused in [store.migrate().await.map(drop), store.check_schema().await] {
                let error = refused.expect_err("it is no schema to begin with");
                assert!(error.to_string().contains(&message) && !error.is_outage(), "{error}");
            }
            ground.sql(&format!("ALTER TABLE {table} ENGINE=InnoDB")).await;
            store.probe().await.expect("fixed");
        }
    }
    store.migrate().await.expect("fixed");
    assert_eq!(store.rehearse(&[row(&ground)]).await.expect("fixed").len(), 1);
    assert_eq!(rows(&ground).await, 0);
}

#[tokio::test]
async fn a_view_on_such_a_table_is_found_out_by_what_it_does() {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("a database of our own");
    ground.sql("RENAME TABLE posts TO behind").await;
    ground.sql("CREATE VIEW posts AS SELECT * FROM behind").await;
    store.probe().await.expect("a view is as good as its table");
    ground.sql("ALTER TABLE behind ENGINE=MyISAM").await;
    refusal(&store, &ground).await;
}

#[tokio::test]
async fn a_trigger_that_writes_down_elsewhere_what_it_saw_is_no_reason() {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("a database of our own");
    ground.sql("CREATE TABLE seen (id CHAR(36)) ENGINE=MyISAM").await;
    ground.sql("CREATE TRIGGER see AFTER INSERT ON posts FOR EACH ROW INSERT INTO seen VALUES (NEW.id)").await;
    match store.probe().await {
        Ok(()) => {}
        // MySQL with GTIDs takes no such statement at all, whatever post it is about.
        Err(failure) if failure.code == "mysql_1785" => {}
        Err(failure) => panic!("our own table can take it back: {failure}"),
    }
    assert_eq!(rows(&ground).await, 0);
}
