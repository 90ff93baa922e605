//! A prune beside others: one that is stopped, two at once, and people who act in the middle of it.

use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::{Ground, interrupt, until};
use crate::{age, count, posts, prune};

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stopped_says_so_and_the_next_goes_on() {
    let ground = Ground::new().await;
    ground.record(&posts(400, 500)).await;
    age(&ground, 450).await;
    let args = ["prune", "--older-than", "400d", "--yes", "--batch", "1", "--json"];
    let begun = ground.start(&args);
    until("some are deleted", async || count(&ground).await < 395).await;
    interrupt(&begun).await;
    let ran = ground.finish(begun).await.exits(130);
    let (stopped, left) = (ran.object(), count(&ground).await);
    assert_eq!((&stopped["complete"], &stopped["pruned"]), (&json!(false), &json!(400 - left)));
    assert!(left > 0, "it was stopped in the middle");
    let noted: u64 = ground.value("SELECT COUNT(*) FROM pruned_posts").await;
    assert_eq!(noted, 400 - left, "each that went is noted, and no other");
    let rest = prune(&ground, &["--older-than", "400d", "--yes", "--json"]).await.ok().object();
    assert_eq!((&rest["pruned"], count(&ground).await), (&json!(left), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_delete_each_post_once() {
    let ground = Ground::new().await;
    ground.record(&posts(900, 500)).await;
    age(&ground, 450).await;
    let args = ["prune", "--older-than", "400d", "--yes", "--batch", "30", "--json"];
    let both = [ground.start(&args), ground.start(&args)];
    let mut pruned = 0;
    for one in both {
        pruned += ground.finish(one).await.ok().object()["pruned"].as_u64().expect("a number");
    }
    let counted: u64 = ground.value("SELECT CAST(SUM(pruned) AS UNSIGNED) FROM prunes").await;
    assert_eq!((pruned, counted, count(&ground).await), (900, 900, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_has_locked_is_waited_for_and_the_error_says_how_to_go_on() {
    let ground = Ground::new().await;
    ground.record(&posts(3, 500)).await;
    age(&ground, 450).await;
    let url = mysql_async::Opts::from_url(&ground.database_url).expect("a good address");
    let mut other = mysql_async::Conn::new(url).await.expect("MySQL answers");
    other.query_drop("BEGIN").await.expect("it begins");
    let lock = "UPDATE posts SET title = 'x' WHERE title = '1'";
    other.query_drop(lock).await.expect("it is locked");
    let ran = prune(&ground, &["--older-than", "400d", "--yes"]).await.exits(1);
    assert!(ran.stderr.contains("the same command goes on with the rest"), "{ran:?}");
    drop(other);
    until("the lock is gone", async || {
        prune(&ground, &["--older-than", "400d", "--yes"]).await.code == Some(0) && count(&ground).await == 0
    })
    .await;
}
