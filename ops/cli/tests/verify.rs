//! Every accepted id accounted for, in each situation it can be in.

mod support;

use std::io::Write as _;
use std::time::{Duration, Instant};

use lapin::options::{BasicGetOptions, BasicNackOptions, QueuePurgeOptions};
use serde_json::{Value, json};
use sluice_core::post::{Post, PostId};
use support::{Dead, Ground, Ran, post, until};
use tempfile::NamedTempFile;

fn receipts(ids: impl IntoIterator<Item = PostId>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a place for files");
    for id in ids {
        writeln!(file, "{id}").expect("it can be written");
    }
    file
}

async fn verify(ground: &Ground, receipts: &NamedTempFile, more: &[&str]) -> Ran {
    let path = receipts.path().to_str().expect("a plain path");
    ground.sluice(&[&["verify", "--json", "--receipts", path], more].concat()).await
}

fn posts(count: usize) -> Vec<Post> {
    (0..count).map(|number| post(&number.to_string())).collect()
}

fn ids(posts: &[Post]) -> impl Iterator<Item = PostId> {
    posts.iter().map(|post| post.id)
}

fn counts(object: &Value) -> Value {
    let keys = ["accepted", "recorded", "queued", "dead", "dropped", "missing", "duplicate"];
    keys.into_iter().map(|key| (key.to_owned(), object[key].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_post_is_found_in_its_place() {
    let ground = Ground::new().await;
    let (stored, waiting, dead) = (posts(5), posts(3), Dead::some(4));
    ground.record(&stored).await;
    for post in &waiting {
        ground.submit(post).await;
    }
    ground.dead(&dead).await;
    ground.sluice(&["dlq", "drop", &dead[0].id.to_string(), "--yes"]).await.ok();
    let accepted = ids(&stored).chain(ids(&waiting)).chain(dead.iter().map(|dead_letter| dead_letter.id));
    // One of them was submitted twice with the same key.
    let receipts = receipts(accepted.chain([stored[0].id]));
    let object = verify(&ground, &receipts, &[]).await.ok().object();
    assert_eq!(
        counts(&object),
        json!({
            "accepted": 12, "recorded": 5, "queued": 3, "dead": 3, "dropped": 1, "missing": 0, "duplicate": 0
        })
    );
    assert_eq!((&object["repeated_receipts"], &object["queued_by"]), (&json!(1), &json!("count")));
    let path = receipts.path().to_str().expect("a plain path");
    let ran = ground.sluice(&["verify", "--receipts", path]).await.ok();
    assert!(ran.stdout.ends_with("every accepted post is accounted for\n"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_is_missing_and_named() {
    let ground = Ground::new().await;
    let (stored, lost) = (posts(2), posts(101));
    ground.record(&stored).await;
    for post in &lost {
        ground.submit(post).await;
    }
    let receipts = receipts(ids(&stored).chain(ids(&lost)));
    verify(&ground, &receipts, &[]).await.ok();
    let purged = ground.channel.queue_purge(ground.topology.queue().into(), QueuePurgeOptions::default()).await;
    assert_eq!(purged.expect("the broker answers"), 101);
    let object = verify(&ground, &receipts, &["--settle", "300ms"]).await.exits(1).object();
    assert_eq!((&object["missing"], &object["queued"]), (&json!(101), &json!(0)));
    let mut named: Vec<String> = ids(&lost).map(|id| id.to_string()).collect();
    named.sort();
    assert_eq!(object["missing_ids"], json!(named[..100]));
    let object = verify(&ground, &receipts, &["--settle", "0s", "--all"]).await.exits(1).object();
    assert_eq!(object["missing_ids"], json!(named));
    let path = receipts.path().to_str().expect("a plain path");
    let ran = ground.sluice(&["verify", "--settle", "0s", "--receipts", path]).await.exits(1);
    assert!(ran.stdout.contains("101 posts are missing:\n") && ran.stdout.contains(&named[0]), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_in_flight_is_waited_for() {
    let ground = Ground::new().await;
    let held = posts(1);
    ground.submit(&held[0]).await;
    let got = ground.channel.basic_get(ground.topology.queue().into(), BasicGetOptions { no_ack: false }).await;
    let acker = got.expect("the broker answers").expect("it waits").delivery.acker;
    let receipts = receipts(ids(&held));
    assert_eq!(verify(&ground, &receipts, &["--settle", "200ms"]).await.exits(1).object()["missing"], 1);
    let path = receipts.path().to_str().expect("a plain path");
    let begun = Instant::now();
    let patient = ground.start(&["verify", "--json", "--settle", "50s", "--receipts", path]);
    // Whenever it looks, now or after this, the post turns up in time.
    ground.record(&held).await;
    acker.nack(BasicNackOptions { requeue: true, multiple: false }).await.expect("it goes back");
    let object = ground.finish(patient).await.ok().object();
    assert_eq!((&object["recorded"], &object["missing"]), (&json!(1), &json!(0)));
    assert!(begun.elapsed() < Duration::from_secs(40), "it ends as soon as all are found");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wait_it_waits_until_nothing_is_queued() {
    let ground = Ground::new().await;
    let waiting = posts(1);
    ground.submit(&waiting[0]).await;
    let receipts = receipts(ids(&waiting));
    let path = receipts.path().to_str().expect("a plain path");
    let object = verify(&ground, &receipts, &["--wait", "300ms"]).await.ok().object();
    assert_eq!(object["queued"], 1, "the time was over");
    let patient = ground.start(&["verify", "--json", "--wait", "50s", "--receipts", path]);
    ground.record(&waiting).await;
    let object = ground.finish(patient).await.ok().object();
    assert_eq!((&object["recorded"], &object["queued"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_and_still_dead_is_a_duplicate_until_the_dead_letter_is_dropped() {
    let ground = Ground::new().await;
    let dead = Dead::some(2);
    ground.dead(&dead).await;
    ground.record(&[dead[0].post()]).await;
    let receipts = receipts(dead.iter().map(|dead_letter| dead_letter.id));
    let object = verify(&ground, &receipts, &[]).await.exits(1).object();
    assert_eq!((&object["recorded"], &object["dead"], &object["duplicate"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(object["duplicate_ids"], json!([dead[0].id]));
    ground.sluice(&["dlq", "drop", &dead[0].id.to_string(), "--yes"]).await.ok();
    let object = verify(&ground, &receipts, &[]).await.ok().object();
    assert_eq!((&object["recorded"], &object["dead"], &object["dropped"]), (&json!(1), &json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_no_front_door_wrote_is_a_claim_and_no_place() {
    let ground = Ground::new().await;
    let dead_letter = post("of a stranger");
    ground.foreign(&dead_letter.to_body(), None).await;
    ground.until_dead(1).await;
    let object = verify(&ground, &receipts([dead_letter.id]), &["--settle", "0s"]).await.exits(1).object();
    assert_eq!((&object["dead"], &object["missing"], &object["claimed"]), (&json!(0), &json!(1), &json!(1)));
    ground.record(std::slice::from_ref(&dead_letter)).await;
    let object = verify(&ground, &receipts([dead_letter.id]), &[]).await.ok().object();
    assert_eq!((&object["recorded"], &object["duplicate"], &object["claimed"]), (&json!(1), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_named_by_its_number() {
    let ground = Ground::bare(None).await;
    let mut file = receipts([PostId::new()]);
    writeln!(file, "seven").expect("it can be written");
    let ran = verify(&ground, &file, &[]).await.exits(2);
    assert!(ran.stderr.contains("line 2") && ran.stderr.contains("seven"), "{ran:?}");
    ground.sluice(&["verify", "--receipts", "/nowhere"]).await.exits(2);
    ground.sluice(&["verify"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_without_an_id_account_for_nothing_and_are_refused() {
    let ground = Ground::bare(None).await;
    let empty = receipts([]);
    let unreachable = ["--database-url", "mysql://root@127.0.0.1:1/none", "--amqp-url", "amqp://127.0.0.1:1"];
    for more in [&[][..], &unreachable] {
        let ran = verify(&ground, &empty, more).await.exits(2);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("contains no ids"), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_away_nothing_is_called_missing() {
    let ground = Ground::new().await;
    let unreachable = ["--database-url", "mysql://root@127.0.0.1:1/none"];
    let ran = verify(&ground, &receipts([PostId::new()]), &unreachable).await.exits(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("127.0.0.1:1"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_move_while_they_are_counted_are_not_called_missing() {
    let ground = Ground::new().await;
    let moving = posts(300);
    for post in &moving {
        ground.submit(post).await;
    }
    let receipts = receipts(ids(&moving));
    // A slow worker: each post is in flight for a moment.
    let worker = async {
        for post in &moving {
            let queue = ground.topology.queue();
            let got = ground.channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await;
            let message = got.expect("the broker answers").expect("it waits").delivery;
            ground.record(std::slice::from_ref(post)).await;
            message.acker.ack(lapin::options::BasicAckOptions::default()).await.expect("it is answered");
        }
    };
    let checks = async {
        let mut last = json!(null);
        while last != json!(300) {
            let object = verify(&ground, &receipts, &[]).await.ok().object();
            assert_eq!(object["missing"], 0, "{object}");
            last = object["recorded"].clone();
        }
    };
    tokio::join!(worker, checks);
    until("the queue is empty", async || ground.queued().await == 0).await;
}
