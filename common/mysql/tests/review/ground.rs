//! A database with held posts and their cases, and people who act on them.

use std::time::Duration;

use sluice_core::moderation::act::{Actor, Refusal};
use sluice_core::moderation::{Role, Share};
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Score, Verdict};
use sluice_lab::testing::Ground;
use sluice_mysql::review::{
    Ask, Claimed, Decision, DecisionRequest, NewCase, Recheck, Ruled, Ruling, StoredCase, UndoRequest,
};
use sluice_mysql::{Row, Store};
use time::OffsetDateTime;
use uuid::Uuid;

/// A test's own database.
pub(crate) struct Desk {
    pub(crate) ground: Ground,
    pub(crate) store: Store,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let ground = Ground::new().await;
        let store = ground.store();
        store.migrate().await.expect("a database of our own");
        Self { ground, store }
    }

    /// Stores a post with this verdict, and opens no case.
    pub(crate) async fn stored(&self, verdict: Verdict, priority: u32) -> Post {
        let post = self.ground.post("a post");
        let score = Score { category: "spam".to_owned(), sum: priority, hold: Some(1), reject: None, urgent: false };
        let review = Review {
            verdict,
            reasons: Vec::new(),
            scores: vec![score],
            shadow: Vec::new(),
            ruleset: "test@0".to_owned(),
        };
        let row = Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None };
        self.store.insert(&[row], "test").await.expect("it can be stored").remove(0).expect("it is stored");
        post
    }

    /// Opens what cases these posts should have; gives how many are new.
    pub(crate) async fn open(&self, posts: &[PostId]) -> u64 {
        let held = self.store.held_without_case(posts).await.expect("the database answers");
        let cases: Vec<NewCase> = held.into_iter().map(|post| post.case([7; 16])).collect();
        self.store.open_cases(&cases).await.expect("cases can be opened")
    }

    /// A held post with its case.
    pub(crate) async fn held(&self, priority: u32) -> StoredCase {
        let post = self.stored(Verdict::Held, priority).await;
        assert_eq!(self.open(&[post.id]).await, 1);
        self.store.cases_of(post.id).await.expect("the database answers").remove(0)
    }

    pub(crate) async fn case(&self, case: Uuid) -> StoredCase {
        self.store.case(case).await.expect("the database answers").expect("there is such a case")
    }

    /// The next case for this person; the token of their claim.
    pub(crate) async fn next(&self, by: &str, role: Role) -> Option<(Uuid, Uuid)> {
        let token = Uuid::now_v7();
        let ask = Ask { by, role, token, queue: None };
        match self.store.claim_next(ask).await.expect("the database answers") {
            Claimed::Case(case) => Some((case.case, token)),
            Claimed::Nothing(_) => None,
        }
    }

    pub(crate) async fn decide(&self, case: Uuid, ruling: Ruling, actor: Actor<'_>) -> Result<Decision, Refusal> {
        let request = request(Uuid::now_v7(), case, ruling, actor);
        self.store.decide(&request).await.expect("the database answers").expect("there is such a case")
    }

    /// A held post that this moderator has decided, with the second review for which that was drawn.
    pub(crate) async fn drawn(&self, by: &str, ruling: Ruling) -> (Decision, StoredCase) {
        let case = self.held(10).await;
        let asked = drawn(Uuid::now_v7(), case.case, ruling, moderator(by, None));
        let decided = self.store.decide(&asked).await.expect("the database answers").expect("it is there");
        let mut cases = self.store.cases_of(case.post).await.expect("the database answers");
        (decided.expect("it was free"), cases.pop().expect("there are two"))
    }

    /// What this person says of a second review.
    pub(crate) async fn opine(&self, case: Uuid, ruling: Ruling, actor: Actor<'_>) -> Result<Ruled, Refusal> {
        let asked = request(Uuid::now_v7(), case, ruling, actor);
        self.store.rule(&asked).await.expect("the database answers").expect("there is such a case")
    }

    pub(crate) async fn undo(&self, decision: Uuid, actor: Actor<'_>) -> Result<Decision, Refusal> {
        let request = UndoRequest { id: Uuid::now_v7(), decision, actor, note: None, act: None };
        self.store.undo(&request).await.expect("the database answers").expect("there is such a decision")
    }

    /// Ends a claim's time, as the clock would.
    pub(crate) async fn let_it_lapse(&self, case: Uuid) {
        let back = "UPDATE review_cases SET claimed_at = claimed_at - INTERVAL 2 HOUR, \
                    claimed_until = claimed_until - INTERVAL 2 HOUR WHERE id";
        self.ground.sql(&format!("{back} = '{case}'")).await;
    }
}

/// A decision without reasons.
pub(crate) fn request(id: Uuid, case: Uuid, ruling: Ruling, actor: Actor<'_>) -> DecisionRequest<'_> {
    DecisionRequest {
        id,
        case,
        ruling,
        actor,
        policies: &[],
        policyset: None,
        message: None,
        note: None,
        act: None,
        recheck: Recheck { appeals: Some(Duration::from_secs(3600)), ..Recheck::default() },
        expected: None,
    }
}

/// One that is drawn for a second review in any case.
pub(crate) fn drawn(id: Uuid, case: Uuid, ruling: Ruling, actor: Actor<'_>) -> DecisionRequest<'_> {
    let asked = request(id, case, ruling, actor);
    DecisionRequest { recheck: Recheck { second_reviews: Share::ALL, ..asked.recheck }, ..asked }
}

pub(crate) fn moderator(name: &str, claim: Option<Uuid>) -> Actor<'_> {
    Actor { name, role: Role::Moderator, claim }
}

pub(crate) fn lead(name: &str) -> Actor<'_> {
    Actor { name, role: Role::Lead, claim: None }
}
