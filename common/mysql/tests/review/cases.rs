//! Each stored held post has exactly one case.

use sluice_core::verdict::Verdict;

use super::ground::Desk;

#[tokio::test]
async fn the_rows_verdict_opens_a_case_and_no_other_and_only_once() {
    let desk = Desk::new().await;
    let (held, shown) = (desk.stored(Verdict::Held, 30).await, desk.stored(Verdict::Approved, 0).await);
    assert_eq!(desk.open(&[held.id, shown.id]).await, 1);
    assert_eq!(desk.open(&[held.id, shown.id]).await, 0);
    let cases = desk.store.cases_of(held.id).await.expect("the database answers");
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].state, cases[0].queue.as_str(), cases[0].priority), ("waiting", "spam", 30));
    assert!(desk.store.cases_of(shown.id).await.expect("the database answers").is_empty());
}

#[tokio::test]
async fn two_workers_that_open_the_same_case_at_once_open_one_and_tell_the_forum_once() {
    let desk = Desk::new().await;
    let post = desk.stored(Verdict::Held, 30).await;
    let held = desk.store.held_without_case(&[post.id]).await.expect("the database answers");
    // Both have looked before either has written.
    let cases = || held.iter().map(|post| post.case([7; 16])).collect::<Vec<_>>();
    let (one, other) = (cases(), cases());
    let (one, other) = tokio::join!(desk.store.open_cases(&one), desk.store.open_cases(&other));
    assert_eq!(one.expect("it can be repeated") + other.expect("it can be repeated"), 1);
    desk.store.number_events(time::Duration::ZERO).await.expect("the database answers");
    let events = desk.store.events(0, 10).await.expect("the database answers");
    assert_eq!(events.len(), 1);
    assert!(events[0].1.contains(r#""type":"post.held""#) && events[0].1.contains(&post.id.to_string()));
}

#[tokio::test]
async fn a_sweep_finds_what_has_no_case() {
    let desk = Desk::new().await;
    let mut wanted = Vec::new();
    for number in 0..5 {
        let verdict = if number % 2 == 0 { Verdict::Held } else { Verdict::Rejected };
        let post = desk.stored(verdict, number).await;
        if verdict == Verdict::Held {
            wanted.push(post.id);
        }
    }
    desk.open(&wanted[..1]).await;
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let (last, held) = desk.store.sweep_held(after, 2).await.expect("the database answers");
        found.extend(held.iter().map(|post| post.post));
        if last.is_none() {
            break;
        }
        after = last;
    }
    assert_eq!(found, wanted[1..]);
}

#[tokio::test]
async fn the_probe_of_the_gate_meets_a_table_of_cases_that_is_gone() {
    let desk = Desk::new().await;
    desk.store.probe().await.expect("posts can be stored");
    desk.ground.sql("RENAME TABLE review_cases TO review_cases_away").await;
    let failure = desk.store.probe().await.expect_err("no case can be opened");
    assert_eq!(failure.code, "mysql_1146");
    desk.ground.sql("RENAME TABLE review_cases_away TO review_cases").await;
    desk.store.probe().await.expect("posts can be stored");
}
