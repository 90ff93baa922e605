//! A row that was not inserted is not always one that was there: nobody's text may be lost for it, and no neighbour may
//! wait for it.

use sluice_core::disposition::Class;
use sluice_core::post::{Post, PostId};
use sluice_lab::testing::{Ground, eventually};

use crate::stage::number;
use crate::support::{dead, is_stored, start, stored, worker};
use crate::vital::metric;

#[tokio::test]
async fn a_post_that_any_other_unique_key_refuses_is_dead_lettered_with_the_keys_name_and_its_neighbours_are_stored() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &["--concurrency", "16"]).await;
    ground.sql("ALTER TABLE posts ADD UNIQUE KEY u (title)").await;
    let twins = [ground.post("the same words"), ground.post("the same words")];
    let neighbours: Vec<Post> = (0..40).map(|number| ground.post(&format!("neighbour {number}"))).collect();
    ground.publish(&neighbours[..20]).await;
    ground.publish(&twins).await;
    ground.publish(&neighbours[20..]).await;
    for neighbour in &neighbours {
        stored(&ground, neighbour.id).await;
    }
    dead(&ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!(
        (dead_letter.class, dead_letter.code.as_str(), dead_letter.attempts),
        (Class::Permanent, "mysql_1062", 1)
    );
    assert!(dead_letter.message.contains("for key '") && dead_letter.message.ends_with("u'"), "{dead_letter:?}");
    assert!(!worker.said().contains("the same words") && !worker.said().contains("paused"), "{}", worker.said());
    let ids: Vec<PostId> = twins.iter().map(|post| post.id).collect();
    let [one, other] = [is_stored(&ground, ids[0]).await, is_stored(&ground, ids[1]).await];
    assert!(one != other, "one of the two is stored");
    assert_eq!(dead_letter.id, ids[usize::from(one)].to_string(), "and the other one is dead-lettered");
}

#[tokio::test]
async fn another_post_under_a_known_id_is_dead_lettered_and_the_same_post_is_acknowledged() {
    let ground = Ground::new().await;
    let mut worker = start(&ground.environment(), &["--listen", "127.0.0.1:0", "--name", "first"]);
    worker.says("consuming", 1).await;
    let post = ground.post("first come");
    ground.publish(std::slice::from_ref(&post)).await;
    let before = stored(&ground, post.id).await;
    let again = Post { submitted_at: time::OffsetDateTime::now_utc(), ..post.clone() };
    let other = Post { title: "First come".to_owned(), author: Some("eve".to_owned()), ..post.clone() };
    ground.publish(&[again, other]).await;
    dead(&ground, 1).await;
    eventually("the same post to be found stored", async || {
        let found = metric(&worker, "sluice_posts_recorded_total{result=\"already_recorded\"}").await;
        if found == 1.0 { Ok(()) } else { Err(found) }
    })
    .await;
    // The dead letter is there before its worker has been told so.
    eventually("the other one to be counted as dead", async || {
        let counted = "sluice_posts_dead_lettered_total{class=\"permanent\",code=\"id_conflict\"}";
        let dead = metric(&worker, counted).await;
        if dead == 1.0 { Ok(()) } else { Err(dead) }
    })
    .await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!(
        (dead_letter.class, dead_letter.code.as_str(), dead_letter.attempts),
        (Class::Permanent, "id_conflict", 1)
    );
    assert_eq!(
        (&dead_letter.id, dead_letter.title.as_deref()),
        (&post.id.to_string(), Some("First come")),
        "its text is there"
    );
    for fact in
        [&post.id.to_string(), "by worker 'first'", "since 20", "the title (10 bytes stored, 10", "the author (0"]
    {
        assert!(dead_letter.message.contains(fact), "{fact}: {}", dead_letter.message);
    }
    assert!(
        !dead_letter.message.contains("the content") && !dead_letter.message.contains("irst come"),
        "{}",
        dead_letter.message
    );
    assert!(!worker.said().contains("paused"), "{}", worker.said());
    assert!(worker.stop().await.success());
    assert_eq!(stored(&ground, post.id).await, before, "the first row is what it was");
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready), (0, 1));
    assert_eq!(number(&ground, "SELECT COUNT(*) FROM posts").await, 1);
}
