//! Whose fault a failure is, the table tells and not the error's code: what hits every post pauses the work and costs
//! no post anything; what hits one post costs the others nothing.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::{Ground, Program, eventually, in_time};
use sluice_mysql::{Recorded, Row};
use sluice_review::RuleSet;

use crate::poison::{ATTEMPTS_OF_NEIGHBOURS, POISONS, by, poison};
use crate::stage::{Stage, all_stored, flood, number, posts, quick_start};
use crate::support::{dead, start, stored, waiting};

/// Attempts that would be spent within two seconds, if any were.
const HASTY: &[&str] = &["--max-attempts", "3", "--retry-base", "50ms", "--retry-cap", "100ms", "--hold", "60s"];
const POSTS: usize = 16;

async fn hasty(ground: &Ground) -> Program {
    let worker = start(&ground.environment(), HASTY);
    worker.says("consuming", 1).await;
    worker
}

/// All are stored at their first attempt, and none is dead.
async fn unharmed(ground: &Ground, worker: &Program, posts: &[Post], what: &str) {
    in_time(format!("{what}: stored"), all_stored(ground, posts).await, Duration::from_secs(8));
    assert_eq!(number(ground, "SELECT MAX(attempts) FROM posts").await, 1, "{what}\n{}", worker.said());
    assert_eq!(ground.dead().await.ready, 0, "{what}\n{}", worker.said());
}

#[tokio::test]
async fn a_lock_on_the_table_pauses_the_work_and_costs_no_post_an_attempt() {
    let ground = Ground::new().await;
    let worker = hasty(&ground).await;
    // Three attempts at a lock wait of two seconds each would be spent long before.
    let long = Duration::from_secs(14);
    let locks: [(&str, &[&str], &str); 2] = [
        ("a DELETE that is left open", &["BEGIN", "DELETE FROM posts WHERE title <> ''"], "ROLLBACK"),
        ("LOCK TABLES", &["LOCK TABLES posts WRITE"], "UNLOCK TABLES"),
    ];
    for (nth, (what, lock, unlock)) in locks.into_iter().enumerate() {
        let before = posts(&ground, 2, "before");
        flood(&ground, &before).await;
        all_stored(&ground, &before).await;
        let mut session = ground.session().await;
        for statement in lock {
            session.query_drop(*statement).await.expect("a lock");
        }
        let load = posts(&ground, POSTS, what);
        flood(&ground, &load).await;
        worker.says("paused: mysql", nth + 1).await;
        worker.says("SHOW PROCESSLIST", nth + 1).await;
        tokio::time::sleep(long).await;
        assert_eq!(worker.said().matches("resumed").count(), nth, "{what}\n{}", worker.said());
        // Inserts and plain rows that were given up do not wait on in the server. Each is killed a moment later, by a
        // connection of its own.
        let left = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}'", ground.name);
        eventually("what was given up to be gone", async || match number(&ground, &left).await {
            0..=12 => Ok(()),
            left => Err(format!("{what}: {left} connections")),
        })
        .await;
        session.query_drop(unlock).await.expect("no lock");
        unharmed(&ground, &worker, &load, what).await;
    }
}

/// What servers say to every post while they change over or are short of something, in numbers that say nothing by
/// themselves: TiDB's, Vitess's, Group Replication's, a full Galera queue's.
const CODES: [u16; 11] = [9001, 9002, 9005, 9007, 8028, 1105, 3101, 1180, 2013, 1205, 1644];

#[tokio::test]
async fn a_code_that_hits_every_post_pauses_the_work_whatever_its_number() {
    let ground = Ground::new().await;
    let worker = hasty(&ground).await;
    for (nth, code) in CODES.into_iter().enumerate() {
        let refusal = format!("SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'said so'");
        ground.sql(&format!("CREATE TRIGGER refused BEFORE INSERT ON posts FOR EACH ROW {refusal}")).await;
        let load = posts(&ground, POSTS, "refused");
        flood(&ground, &load).await;
        worker.says(&format!("code=mysql_{code}"), 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(worker.said().matches("resumed").count(), nth, "{code}: {}", worker.said());
        ground.sql("DROP TRIGGER refused").await;
        unharmed(&ground, &worker, &load, &format!("{code}")).await;
    }
}

/// How long it takes to store so many posts, once the worker has begun.
async fn time_of(ground: &Ground, load: &[Post], good: &[Post]) -> (Duration, Program) {
    flood(ground, load).await;
    let (environment, _rules) = quick_start(ground);
    let worker = start(&environment, &["--max-attempts", "2", "--retry-base", "50ms"]);
    worker.says("consuming", 1).await;
    (all_stored(ground, good).await, worker)
}

#[tokio::test]
async fn a_post_that_fails_alone_is_dead_lettered_whatever_its_error_looks_like_and_its_neighbours_do_not_wait() {
    const GOOD: usize = 2000;
    const ROUNDS: usize = 4;
    let ground = Ground::new().await;
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    poison(&ground).await;
    for (author, _, code) in POISONS {
        let mut seen = Vec::new();
        // Other work on this machine may take the processor away from either of the two.
        for _ in 0..ROUNDS {
            let (without, with) = (posts(&ground, GOOD, "without"), posts(&ground, GOOD, author));
            let (alone, mut worker) = time_of(&ground, &without, &without).await;
            assert!(worker.stop().await.success());
            let dead_before = ground.dead().await.ready;
            let bad = by(&ground, author);
            let load = [&with[..GOOD / 2], std::slice::from_ref(&bad), &with[GOOD / 2..]].concat();
            let (beside, mut worker) = time_of(&ground, &load, &with).await;
            dead(&ground, dead_before + 1).await;
            let dead_letters = ground.dead_letters().await;
            let dead_letter = dead_letters.iter().find(|one| one.id == bad.id.to_string()).expect("it is dead");
            let died = (dead_letter.class, dead_letter.code.as_str(), dead_letter.attempts);
            assert_eq!(died, (Class::Exhausted, code, 2));
            assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
            assert!(worker.stop().await.success());
            seen.push((alone, beside));
            // What one group takes to be split comes on top, however few the posts. Had they to wait for its attempts,
            // it would be the time of two statements that are given up, and of the waits between them.
            if beside <= alone * 6 / 5 + Duration::from_secs(3) {
                break;
            }
        }
        println!("{author}: without and with it {seen:.2?}");
        assert!(seen.len() < ROUNDS, "{author}: its neighbours waited for it: {seen:?}");
    }
    assert_eq!(number(&ground, ATTEMPTS_OF_NEIGHBOURS).await, 1);
}

#[tokio::test]
async fn a_flood_of_poisonous_posts_does_not_starve_the_good_ones() {
    let ground = Ground::new().await;
    ground.declare().await;
    ground.store().migrate().await.expect("the schema can be brought up");
    poison(&ground).await;
    let good = posts(&ground, 100, "good");
    let bad: Vec<Post> =
        ["missing", "sleeping"].iter().flat_map(|author| (0..6).map(|_| by(&ground, author))).collect();
    // A poisonous post among every eight.
    let mut load: Vec<Post> = Vec::new();
    for (posts, bad) in good.chunks(8).zip(bad.iter().map(Some).chain(std::iter::repeat(None))) {
        load.extend_from_slice(posts);
        load.extend(bad.cloned());
    }
    let begun = Instant::now();
    flood(&ground, &load).await;
    // The sleeping ones alone take more than half a minute until their attempts are spent.
    let worker = start(&ground.environment(), &["--concurrency", "32", "--retry-base", "50ms"]);
    all_stored(&ground, &good).await;
    println!("100 good posts among 12 poisonous ones: {:.2?}", begun.elapsed());
    assert!(ground.dead().await.ready < 12, "the good ones did not wait until the others were dead");
    // A busy machine may make one of them wait for a lock of a statement that was given up, which costs it an attempt.
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
}

#[tokio::test]
async fn a_site_that_wants_more_of_a_post_than_sluice_does_is_not_stopped_by_one_without_it() {
    let ground = Ground::new().await;
    let worker = hasty(&ground).await;
    ground.sql("ALTER TABLE posts ADD CONSTRAINT CHECK (author IS NOT NULL), MODIFY content TEXT NOT NULL").await;
    let long = Post { content: "x".repeat(70_000), ..by(&ground, "somebody") };
    let refused = [(ground.post("no author"), ["mysql_3819", "mysql_4025"]), (long, ["mysql_1406", "mysql_1406"])];
    for (nth, (bad, codes)) in refused.iter().enumerate() {
        ground.publish(std::slice::from_ref(bad)).await;
        dead(&ground, nth as u32 + 1).await;
        let dead_letter = ground.dead_letters().await.remove(nth);
        assert!(codes.contains(&dead_letter.code.as_str()), "{dead_letter:?}");
        assert_eq!((dead_letter.class, dead_letter.attempts), (Class::Permanent, 1));
    }
    let good = by(&ground, "somebody");
    ground.publish(std::slice::from_ref(&good)).await;
    stored(&ground, good.id).await;
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
}

#[tokio::test]
async fn a_rehearsal_of_replays_tells_a_post_that_fails_alone_from_a_table_that_is_missing() {
    let ground = Ground::new().await;
    let store = ground.store();
    store.migrate().await.expect("the schema can be brought up");
    poison(&ground).await;
    let rows = [by(&ground, "missing"), by(&ground, "somebody")].map(|post| Row {
        post,
        review: RuleSet::builtin().review(&ground.post("clean")),
        reviewed_at: time::OffsetDateTime::now_utc(),
        attempts: 1,
        sender: None,
    });
    let fates = store.rehearse(&rows).await.expect("the table can be asked");
    assert_eq!(fates[0].as_ref().map_err(|failure| failure.code.as_str()), Err("mysql_1146"));
    assert_eq!(fates[1], Ok(Recorded::Inserted));
    assert_eq!(number(&ground, "SELECT COUNT(*) FROM posts").await, 0);
    ground.sql("DROP TRIGGER poison").await;
    ground.sql("RENAME TABLE posts TO posts_away").await;
    assert!(store.rehearse(&rows).await.is_err(), "it is not the posts' fault");
}

#[tokio::test]
async fn a_row_larger_than_the_servers_packet_is_too_large_and_stops_nobody() {
    let Stage { ground, stack: _stack } = Stage::new(Default::default()).await;
    ground.sql("SET GLOBAL max_allowed_packet = 307200").await;
    let worker = hasty(&ground).await;
    let large = Post { content: "\u{1f600}".repeat(100_000), ..ground.post("large") };
    // Together more than a packet, and each of them less.
    let mut good = posts(&ground, 14, "good");
    good.iter_mut().for_each(|post| post.content = "x".repeat(60_000));
    flood(&ground, &[&good[..7], std::slice::from_ref(&large), &good[7..]].concat()).await;
    all_stored(&ground, &good).await;
    dead(&ground, 1).await;
    let dead_letter = ground.dead_letters().await.remove(0);
    assert_eq!((dead_letter.id, dead_letter.class, dead_letter.attempts), (large.id.to_string(), Class::Permanent, 1));
    assert_eq!(dead_letter.code, "too_large");
    assert!(dead_letter.message.contains("max_allowed_packet of 307200"), "{}", dead_letter.message);
    assert_eq!(worker.said().matches("paused").count(), 0, "{}", worker.said());
    assert_eq!(number(&ground, "SELECT MAX(attempts) FROM posts").await, 1);
    // Raised again, it is stored.
    ground.sql("SET GLOBAL max_allowed_packet = 16777216").await;
    let again = Post { id: sluice_core::post::PostId::new(), ..large };
    eventually("the same text to be stored under another id", async || {
        ground.publish(std::slice::from_ref(&again)).await;
        waiting(&ground, 0).await;
        ground.store().post(again.id).await.map_err(|failure| failure.to_string())?.ok_or("no row".to_owned())
    })
    .await;
}
