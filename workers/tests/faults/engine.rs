//! A table that cannot take back what is tried in it.

use sluice_lab::testing::{Ground, eventually};

use crate::stage::number;
use crate::support::{start, stored};
use crate::vital::page;

#[tokio::test]
async fn a_table_without_transactions_ends_the_start_by_its_name() {
    let ground = Ground::new().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    ground.sql("ALTER TABLE posts ENGINE=MyISAM").await;
    for mode in ["auto", "off"] {
        let mut worker = start(&ground.environment(), &["--migrate", mode]);
        assert_eq!(worker.ended().await.code(), Some(1), "{}", worker.said());
        let said = worker.said();
        assert!(said.contains("`posts` has MyISAM") && said.contains("ALTER TABLE `posts` ENGINE=InnoDB"), "{said}");
    }
}

#[tokio::test]
async fn a_table_that_lost_its_transactions_in_an_outage_keeps_the_gate_closed_until_it_has_them_again() {
    let ground = Ground::new().await;
    let worker = start(&ground.environment(), &["--listen", "127.0.0.1:0"]);
    worker.says("consuming", 1).await;
    ground.sql("RENAME TABLE posts TO away").await;
    let post = ground.post("patient");
    ground.publish(std::slice::from_ref(&post)).await;
    worker.says("paused: mysql", 1).await;
    ground.sql("ALTER TABLE away ENGINE=MyISAM").await;
    ground.sql("RENAME TABLE away TO posts").await;
    eventually("the worker to say why it does not go on", async || {
        let (status, why) = page(&worker, "/readyz").await;
        if status == 503 && why.contains("`posts` has MyISAM") { Ok(()) } else { Err(why) }
    })
    .await;
    assert_eq!(number(&ground, "SELECT COUNT(*) FROM posts").await, 0, "the probe leaves nothing");
    ground.sql("ALTER TABLE posts ENGINE=InnoDB").await;
    assert_eq!(stored(&ground, post.id).await.attempts, 1);
    assert_eq!(ground.dead().await.ready, 0);
}
