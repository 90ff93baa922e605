//! The connection breaks at every point of an act: whoever asks again with the same ids learns what became of it, and
//! it was done once. And senders and clocks that are not to be relied on.

use std::time::{Duration, Instant};

use sluice_core::config::DatabaseArgs;
use sluice_core::failure::Failure;
use sluice_core::moderation::{Event, Role};
use sluice_core::verdict::Verdict;
use sluice_lab::testing::{Proxy, eventually};
use sluice_mysql::Store;
use sluice_mysql::review::{Appeal, Ask, Claimed, Failed, Ruling, UndoRequest};
use uuid::Uuid;

use super::ground::{Desk, lead, moderator, request};

/// What each chunk of bytes takes, so that there is time between one statement and the next.
const SLOW: Duration = Duration::from_millis(4);

/// A way to the database that can be cut.
pub(crate) struct Line {
    proxy: Proxy,
    pub(crate) store: Store,
}

impl Line {
    pub(crate) async fn new(desk: &Desk) -> Self {
        let proxy = Proxy::start(desk.ground.database_address()).expect("a free port");
        let url = desk.ground.database_url_via(proxy.addr());
        let store = Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a valid address");
        store.case(Uuid::nil()).await.expect("the line is open");
        proxy.delay(SLOW);
        Self { proxy, store }
    }

    /// Cuts the line after this time, and then asks again until there is an answer. Whether the first one was lost.
    pub(crate) async fn cut_after<T>(
        &self,
        time: Duration,
        act: impl AsyncFn(&Store) -> Result<T, Failure>,
    ) -> (T, bool) {
        let cut = async {
            tokio::time::sleep(time).await;
            self.proxy.cut();
            self.proxy.heal();
        };
        let (answer, ()) = tokio::join!(act(&self.store), cut);
        let lost = answer.is_err();
        let answer = match answer {
            Ok(answer) => answer,
            Err(_) => eventually("an answer", async || act(&self.store).await).await,
        };
        (answer, lost)
    }
}

/// At how many moments of an act the line is cut.
const CUTS: u32 = 40;

/// Moments from the beginning of an act that takes this long to beyond its end.
pub(crate) fn moments(took: Duration) -> impl Iterator<Item = Duration> {
    (0..CUTS).map(move |step| took * step / (CUTS - 4))
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_anywhere_is_made_once_and_the_repeat_tells() {
    let desk = Desk::new().await;
    let line = Line::new(&desk).await;
    let (mut lost_before, mut lost_after, mut posts) = (0, 0, 1);
    let (case, begun) = (desk.held(10).await, Instant::now());
    let ask = request(Uuid::now_v7(), case.case, Ruling::Reject, moderator("ann", None));
    line.store.decide(&ask).await.expect("the line is open").expect("it is there").expect("it was free");
    let took = begun.elapsed();
    // How long it takes differs from time to time: so on until it was met on both sides of its commit.
    while lost_before < 3 || lost_after < 3 {
        assert!(posts < 10 * CUTS as usize, "lost before the commit {lost_before}, after it {lost_after}");
        for moment in moments(took) {
            let (case, id) = (desk.held(10).await, Uuid::now_v7());
            let ask = request(id, case.case, Ruling::Reject, moderator("ann", None));
            let was_there = std::cell::Cell::new(None);
            let decide = async |store: &Store| {
                let answer = store.decide(&ask).await;
                if answer.is_err() && was_there.get().is_none() {
                    was_there.set(Some(desk.store.decision(id).await.expect("the database answers").is_some()));
                }
                answer
            };
            let (decided, _) = line.cut_after(moment, decide).await;
            let decided = decided.expect("there is such a case").expect("it was free");
            assert_eq!((decided.decision, decided.revision), (id, 1));
            assert_eq!(desk.store.decisions_of(case.post).await.expect("the database answers").len(), 1);
            lost_before += u32::from(was_there.get() == Some(false));
            lost_after += u32::from(was_there.get() == Some(true));
            posts += 1;
        }
    }
    println!("lost before the commit {lost_before}, after it {lost_after}, of {posts}");
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    let events = desk.store.events(0, 1000).await.expect("the database answers");
    assert_eq!(events.len(), 2 * posts, "of each post two events");
}

#[tokio::test]
async fn claims_undos_and_appeals_whose_answers_are_lost_anywhere_are_made_once() {
    let desk = Desk::new().await;
    let line = Line::new(&desk).await;
    let (mut lost_answers, begun) = (0, Instant::now());
    line.store.withdraw(desk.held(10).await.post).await.expect("the line is open");
    for time in moments(begun.elapsed() * 2).step_by(2) {
        let case = desk.held(10).await;
        let token = Uuid::now_v7();
        let ask = Ask { by: "ann", role: Role::Moderator, token, queue: None };
        let (claimed, lost) = line.cut_after(time, async |store| store.claim_next(ask).await).await;
        let Claimed::Case(claimed) = claimed else { panic!("one is free: {claimed:?}") };
        assert_eq!((claimed.case, claimed.handed_out), (case.case, 1));
        lost_answers += u32::from(lost);
        let rejected = desk.decide(case.case, Ruling::Reject, moderator("ann", Some(token))).await;
        let rejected = rejected.expect("it is theirs").decision;
        let asked = Appeal { id: Uuid::now_v7(), post: case.post, reason: "it is a joke" };
        let (appealed, lost) = line.cut_after(time, async |store| store.appeal(&asked).await).await;
        assert_eq!(appealed, Some(Ok(asked.id)));
        lost_answers += u32::from(lost);
        let undo = UndoRequest { id: Uuid::now_v7(), decision: rejected, actor: lead("lea"), note: None, act: None };
        let (undone, lost) = line.cut_after(time, async |store| store.undo(&undo).await).await;
        assert_eq!(undone.expect("it is there").expect("a lead may").revision, 2);
        lost_answers += u32::from(lost);
        assert_eq!(desk.store.cases_of(case.post).await.expect("the database answers").len(), 2);
        desk.store.withdraw(case.post).await.expect("the database answers");
    }
    println!("{lost_answers} answers lost");
    assert!(lost_answers > 0, "no answer was lost at all");
}

#[tokio::test]
async fn a_database_that_goes_away_inside_a_decision_leaves_nothing_of_it_and_the_repeat_decides() {
    let desk = Desk::new().await;
    let line = Line::new(&desk).await;
    let (case, id) = (desk.held(10).await, Uuid::now_v7());
    let stopped = desk.stop_at_event(id).await;
    let ask = request(id, case.case, Ruling::Approve, moderator("ann", None));
    let away = async {
        desk.waits(1).await;
        line.proxy.cut();
    };
    let (answer, ()) = tokio::join!(line.store.decide(&ask), away);
    // Nobody knows what became of it.
    assert!(answer.expect_err("there is no answer").is_unanswered());
    stopped.let_go().await;
    line.proxy.heal();
    let repeat = eventually("an answer", async || line.store.decide(&ask).await).await;
    assert_eq!(repeat.expect("it is there").expect("it was free").revision, 1);
    assert_eq!(desk.store.decisions_of(case.post).await.expect("the database answers").len(), 1);
}

/// A forum with its one rule: an event is applied only if its revision is higher than the one it has.
#[derive(Default)]
struct Forum {
    has: Option<(u32, Verdict)>,
    heard: Vec<u32>,
}

impl Forum {
    fn hears(&mut self, body: &str) {
        let event: Event = serde_json::from_str(body).expect("it is an event");
        self.heard.push(event.revision);
        if self.has.is_none_or(|(revision, _)| event.revision > revision) {
            self.has = Some((event.revision, event.verdict));
        }
    }
}

#[tokio::test]
async fn a_sender_that_was_paused_beyond_its_lease_sends_an_old_event_and_the_newest_stays() {
    let desk = Desk::new().await;
    desk.store.add_endpoint("forum").await.expect("the database answers");
    let case = desk.held(10).await;
    let rejected = desk.decide(case.case, Ruling::Reject, moderator("ann", None)).await.expect("it was free");
    desk.undo(rejected.decision, moderator("ann", None)).await.expect("it is theirs");
    while desk.store.number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
    desk.store.enqueue_deliveries("forum").await.expect("the database answers");
    let mut forum = Forum::default();
    let (paused, other) = (Uuid::now_v7(), Uuid::now_v7());
    let due = async |owner| {
        let due = desk.store.due_deliveries("forum", owner, 10, Duration::from_secs(30)).await;
        due.expect("the database answers").pop()
    };
    // Both know of `post.held`; the next one is the rejection, which the first sender takes and is paused with.
    let held = due(paused).await.expect("it is due");
    forum.hears(&held.body);
    desk.store.delivered("forum", held.decision, Some(200)).await.expect("the database answers");
    let late = due(paused).await.expect("it is due");
    assert!(due(other).await.is_none(), "it is leased");
    desk.ground
        .sql("UPDATE decision_deliveries SET lease_until = NOW(6) - INTERVAL 1 SECOND WHERE lease IS NOT NULL")
        .await;
    while let Some(delivery) = due(other).await {
        forum.hears(&delivery.body);
        desk.store.delivered("forum", delivery.decision, Some(200)).await.expect("the database answers");
    }
    // The first one wakes in the middle of its POST; the answer is lost, and it says so.
    forum.hears(&late.body);
    let failed = Failed { status: None, error: "cut off", again_in: Duration::ZERO };
    desk.store.delivery_failed("forum", late.decision, paused, &failed).await.expect("the database answers");
    assert_eq!((forum.heard.as_slice(), forum.has), (&[0, 1, 2, 1][..], Some((2, Verdict::Held))));
    let status = desk.store.endpoint_statuses().await.expect("the database answers").remove(0);
    assert_eq!((status.delivered, status.undelivered), (3, 0));
    assert!(due(other).await.is_none());
}
