//! The feed: what is decided is in it, in order, and a reader with a cursor misses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mysql_async::prelude::Queryable as _;
use sluice_core::moderation::Event;
use sluice_mysql::review::Ruling;

use super::ground::{Desk, lead, moderator};

async fn number(desk: &Desk) -> u64 {
    desk.store.number_events(time::Duration::ZERO).await.expect("the database answers")
}

async fn feed(desk: &Desk, after: u64) -> Vec<Event> {
    let events = desk.store.events(after, 1000).await.expect("the database answers");
    events.iter().map(|(_, body)| serde_json::from_str(body).expect("it is an event")).collect()
}

#[tokio::test]
async fn an_event_has_a_place_only_after_its_delay_and_says_what_was_decided() {
    let desk = Desk::new().await;
    let case = desk.held(10).await;
    let decision = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    assert_eq!(desk.store.number_events(time::Duration::minutes(1)).await.expect("the database answers"), 0);
    assert!(feed(&desk, 0).await.is_empty());
    // Of one post at a time only the first is numbered: the next one in the next round.
    assert_eq!((number(&desk).await, number(&desk).await, number(&desk).await), (1, 1, 0));
    let events = feed(&desk, 0).await;
    assert_eq!(events.iter().map(|event| event.revision).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((events[1].id, events[1].seq, events[1].by.as_str()), (decision.decision, Some(2), "moderator"));
    assert!(events[1].appealable_until.is_some());
    let body = events[1].to_body();
    assert!(!body.contains("ann") && !body.contains("a post"), "{body}");
}

#[tokio::test]
async fn an_event_that_is_committed_late_comes_later_and_is_not_skipped() {
    let desk = Desk::new().await;
    let (early, late) = (desk.held(10).await, desk.held(10).await);
    number(&desk).await;
    let mut held_open = desk.ground.session().await;
    held_open.query_drop("START TRANSACTION").await.expect("a transaction");
    let insert = "INSERT INTO decision_outbox (decision, post, revision, body, at) \
                  SELECT UUID(), post, 1, '{}', NOW(6) - INTERVAL 1 HOUR FROM review_cases WHERE id";
    held_open.query_drop(format!("{insert} = '{}'", early.case)).await.expect("it is written");
    desk.decide(late.case, Ruling::Approve, moderator("ann", None)).await.expect("it was free");
    assert_eq!(number(&desk).await, 1);
    let cursor = desk.store.last_event().await.expect("the database answers");
    held_open.query_drop("COMMIT").await.expect("it is committed");
    assert_eq!(number(&desk).await, 1);
    assert_eq!(desk.store.events(cursor, 10).await.expect("the database answers").len(), 1);
}

#[tokio::test]
async fn a_case_that_is_committed_late_is_announced_late_and_not_skipped() {
    let desk = Desk::new().await;
    let late = desk.held(10).await;
    let mut held_open = desk.ground.session().await;
    let insert = "INSERT INTO review_cases (id, post, kind, queue, category, priority, fingerprint, state, opened_at) \
                  VALUES (UUID(), UUID(), 'held', 'spam', 'spam', 10, '', 'waiting', NOW(6) - INTERVAL 1 HOUR)";
    held_open.query_drop("START TRANSACTION").await.expect("a transaction");
    held_open.query_drop(insert).await.expect("it is written");
    assert_eq!(number(&desk).await, 1);
    let cursor = desk.store.last_event().await.expect("the database answers");
    assert_eq!(feed(&desk, 0).await[0].id, late.case);
    held_open.query_drop("COMMIT").await.expect("it is committed");
    assert_eq!((number(&desk).await, number(&desk).await), (1, 0));
    assert_eq!(feed(&desk, cursor).await.len(), 1);
}

#[tokio::test]
async fn a_case_that_somebody_locks_delays_its_own_events_and_no_others() {
    let desk = Desk::new().await;
    let (locked, free) = (desk.held(10).await, desk.held(10).await);
    for case in [&locked, &free] {
        desk.decide(case.case, Ruling::Approve, moderator("ann", None)).await.expect("it was free");
    }
    let mut held_open = desk.ground.session().await;
    held_open.query_drop("START TRANSACTION").await.expect("a transaction");
    let lock = format!("SELECT id FROM review_cases WHERE id = '{}' FOR UPDATE", locked.case);
    held_open.query_drop(lock).await.expect("it is locked");
    assert_eq!((number(&desk).await, number(&desk).await, number(&desk).await), (1, 1, 0));
    let seen = |events: Vec<Event>| events.iter().map(|event| (event.post, event.revision)).collect::<Vec<_>>();
    assert_eq!(seen(feed(&desk, 0).await), [(free.post, 0), (free.post, 1)]);
    held_open.query_drop("ROLLBACK").await.expect("it is given up");
    assert_eq!((number(&desk).await, number(&desk).await, number(&desk).await), (1, 1, 0));
    assert_eq!(seen(feed(&desk, 2).await), [(locked.post, 0), (locked.post, 1)]);
}

/// Sixteen writers, two that number, three readers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_with_a_cursor_miss_nothing_while_many_write_and_two_number() {
    let desk = Arc::new(Desk::new().await);
    let done = Arc::new(AtomicBool::new(false));
    let mut cases = Vec::new();
    for _ in 0..16 {
        cases.push(desk.held(10).await);
    }
    let numberers: Vec<_> = (0..2)
        .map(|_| {
            let (desk, done) = (Arc::clone(&desk), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) || number(&desk).await > 0 {
                    number(&desk).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let total = 16 * (1 + 3);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                let (mut cursor, mut seen) = (0, Vec::new());
                while seen.len() < total {
                    for event in feed(&desk, cursor).await {
                        cursor = event.seq.expect("it is numbered");
                        seen.push(event);
                    }
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    let writers = cases.iter().map(|case| async {
        let rejected = desk.decide(case.case, Ruling::Reject, lead("lea")).await.expect("it was free");
        desk.undo(rejected.decision, lead("lea")).await.expect("it is theirs");
        desk.decide(case.case, Ruling::Approve, lead("lea")).await.expect("it is theirs");
    });
    futures_util::future::join_all(writers).await;
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        let seen = tokio::time::timeout(std::time::Duration::from_secs(60), reader).await.expect("all of it is read");
        let seen = seen.expect("the reader has not panicked");
        let mut revisions: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        seen.iter().for_each(|event| revisions.entry(event.post).or_default().push(event.revision));
        assert_eq!(revisions.len(), 16);
        assert!(revisions.values().all(|revisions| revisions == &[0, 1, 2, 3]), "{revisions:?}");
    }
    for numberer in numberers {
        numberer.await.expect("it has not panicked");
    }
}
