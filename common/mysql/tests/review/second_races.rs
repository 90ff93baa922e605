//! A second review that meets an appeal, an undo, another opinion, a viewer, or a connection that breaks.

use std::time::Instant;

use sluice_core::moderation::act::Refusal;
use sluice_mysql::Store;
use sluice_mysql::review::{Appeal, Ruled, Ruling, StoredCase};
use uuid::Uuid;

use super::ground::{Desk, drawn, moderator, request};
use super::lost_answers::{Line, moments};
use super::stopped::Stopped;

fn appeal(case: &StoredCase) -> Appeal<'static> {
    Appeal { id: Uuid::now_v7(), post: case.post, reason: "it is a joke" }
}

impl Desk {
    /// How many second reviews there are.
    pub(crate) async fn count_of_seconds(&self) -> u64 {
        use mysql_async::prelude::Queryable as _;
        let count = "SELECT COUNT(*) FROM review_cases WHERE kind = 'second'";
        let count: Option<u64> = self.ground.session().await.query_first(count).await.expect("the query is valid");
        count.expect("a number")
    }

    /// Stops the second opinion of this id once it has locked the case.
    async fn stop_at_opinion(&self, id: Uuid) -> Stopped {
        self.stop(&format!(
            "INSERT INTO second_opinions (id, post, case_id, of_decision, verdict, policies, given_by, role, given_at) \
             VALUES ('{id}', UUID(), UUID(), UUID(), 'approved', '[]', 'nobody', 'moderator', NOW(6))"
        ))
        .await
    }
}

#[tokio::test]
async fn an_appeal_that_meets_the_draw_ends_the_second_review_and_looks_at_it_itself() {
    let desk = Desk::new().await;
    let (case, id) = (desk.held(10).await, Uuid::now_v7());
    let asked = drawn(id, case.case, Ruling::Reject, moderator("ann", None));
    let appeals = appeal(&case);
    let stopped = desk.stop_at_event(id).await;
    let (decided, appealed) = desk.meet(stopped, desk.store.decide(&asked), desk.store.appeal(&appeals)).await;
    decided.expect("the database answers").expect("it is there").expect("it was free");
    assert_eq!(appealed.expect("the database answers"), Some(Ok(appeals.id)));
    let cases = desk.store.cases_of(case.post).await.expect("the database answers");
    let mut states: Vec<_> = cases.iter().map(|case| (case.kind.as_str(), case.state)).collect();
    states.sort_unstable();
    assert_eq!(states, [("appeal", "waiting"), ("held", "decided"), ("second", "withdrawn")]);
    assert_eq!(desk.store.appeal(&appeals).await.expect("the database answers"), Some(Ok(appeals.id)), "asked again");
}

#[tokio::test]
async fn of_an_opinion_and_an_appeal_the_first_counts_and_the_appeal_is_left_alone() {
    let desk = Desk::new().await;
    // The appeal is there first.
    let (_, second) = desk.drawn("ann", Ruling::Reject).await;
    let appeals = appeal(&second);
    let stopped = desk.stop_at_appeal(appeals.id).await;
    let opines = desk.opine(second.case, Ruling::Approve, moderator("bob", None));
    let (appealed, refused) = desk.meet(stopped, desk.store.appeal(&appeals), opines).await;
    assert_eq!(appealed.expect("the database answers"), Some(Ok(appeals.id)));
    assert_eq!(refused, Err(Refusal::Withdrawn));
    assert!(desk.store.opinions_of(second.post).await.expect("the database answers").is_empty());
    // The opinion is there first, and differs: the appeal is what the lead would have looked at.
    let (_, second) = desk.drawn("ann", Ruling::Reject).await;
    let (appeals, id) = (appeal(&second), Uuid::now_v7());
    let asked = request(id, second.case, Ruling::Approve, moderator("bob", None));
    let stopped = desk.stop_at_opinion(id).await;
    let (given, appealed) = desk.meet(stopped, desk.store.rule(&asked), desk.store.appeal(&appeals)).await;
    assert!(matches!(given.expect("the database answers"), Some(Ok(Ruled::Opinion(opinion))) if !opinion.agrees));
    assert_eq!(appealed.expect("the database answers"), Some(Ok(appeals.id)));
    assert_eq!((desk.case(second.case).await.state, desk.case(appeals.id).await.state), ("withdrawn", "waiting"));
}

#[tokio::test]
async fn of_two_opinions_at_once_one_is_taken_and_an_undo_that_meets_one_ends_the_review() {
    let desk = Desk::new().await;
    let (_, second) = desk.drawn("ann", Ruling::Reject).await;
    let id = Uuid::now_v7();
    let asked = request(id, second.case, Ruling::Reject, moderator("bob", None));
    let stopped = desk.stop_at_opinion(id).await;
    let other = desk.opine(second.case, Ruling::Approve, moderator("cid", None));
    let (given, refused) = desk.meet(stopped, desk.store.rule(&asked), other).await;
    assert!(matches!(given.expect("the database answers"), Some(Ok(Ruled::Opinion(opinion))) if opinion.agrees));
    assert_eq!(refused, Err(Refusal::Decided));
    let again = desk.store.rule(&asked).await.expect("the database answers").expect("it is there");
    assert!(matches!(again, Ok(Ruled::Opinion(opinion)) if opinion.opinion == id), "asked again");
    let (first, second) = desk.drawn("ann", Ruling::Reject).await;
    let undo = Uuid::now_v7();
    let stopped = desk.stop_at_event(undo).await;
    let undoes = sluice_mysql::review::UndoRequest {
        id: undo,
        decision: first.decision,
        actor: moderator("ann", None),
        note: None,
        act: None,
    };
    let opines = desk.opine(second.case, Ruling::Approve, moderator("bob", None));
    let (undone, refused) = desk.meet(stopped, desk.store.undo(&undoes), opines).await;
    assert!(matches!(undone.expect("the database answers"), Some(Ok(_))));
    assert_eq!(refused, Err(Refusal::Withdrawn));
}

#[tokio::test]
async fn whoever_looks_while_a_decision_is_drawn_sees_it_neither_before_nor_after() {
    let desk = Desk::new().await;
    let (case, id) = (desk.held(10).await, Uuid::now_v7());
    let asked = drawn(id, case.case, Ruling::Reject, moderator("ann", None));
    let stopped = desk.stop_at_event(id).await;
    let looks = async {
        desk.waits(1).await;
        let before = desk.store.decisions_for(case.post, Some("bob")).await.expect("the database answers");
        stopped.let_go().await;
        before
    };
    let (decided, before) = tokio::join!(desk.store.decide(&asked), looks);
    decided.expect("the database answers").expect("it is there").expect("it was free");
    let after = desk.store.decisions_for(case.post, Some("bob")).await.expect("the database answers");
    assert_eq!((before.map(|decisions| decisions.len()), after), (Some(0), None));
}

#[tokio::test]
async fn an_opinion_whose_answer_is_lost_anywhere_is_given_once_and_the_repeat_tells() {
    let desk = Desk::new().await;
    let line = Line::new(&desk).await;
    let mut lost_answers = 0;
    let (_, second) = desk.drawn("ann", Ruling::Reject).await;
    let begun = Instant::now();
    let asked = request(Uuid::now_v7(), second.case, Ruling::Reject, moderator("bob", None));
    line.store.rule(&asked).await.expect("the line is open").expect("it is there").expect("it is free");
    for moment in moments(begun.elapsed()) {
        let (_, second) = desk.drawn("ann", Ruling::Reject).await;
        let asked = request(Uuid::now_v7(), second.case, Ruling::Approve, moderator("bob", None));
        let (given, lost) = line.cut_after(moment, async |store: &Store| store.rule(&asked).await).await;
        let given = given.expect("it is there").expect("it is free");
        assert!(matches!(given, Ruled::Opinion(opinion) if opinion.opinion == asked.id));
        assert_eq!(desk.store.opinions_of(second.post).await.expect("the database answers").len(), 1);
        assert_eq!(desk.case(second.case).await.state, "escalated");
        lost_answers += u32::from(lost);
    }
    println!("{lost_answers} answers lost");
    assert!(lost_answers > 0, "no answer was lost at all");
}
