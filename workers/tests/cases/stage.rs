//! Workers whose rules hold what says so in its title, and the account of what they leave.

use std::collections::HashSet;

use mysql_async::prelude::Queryable as _;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Score, Verdict};
use sluice_lab::testing::{Clock, Ground, Program, eventually};
use sluice_mysql::Row;
use sluice_mysql::review::{DecisionRequest, Recheck, Ruling};
use tempfile::NamedTempFile;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::start;

/// The word that is held.
pub(crate) const HELD: &str = "apple";

/// A test's own servers' part, and rules that hold one word.
pub(crate) struct Stage {
    pub(crate) ground: Ground,
    rules: NamedTempFile,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let ground = Ground::new().await;
        ground.declare().await;
        ground.store().migrate().await.expect("the schema can be brought up");
        let rules = NamedTempFile::with_suffix(".toml").expect("a temporary file");
        let stage = Self { ground, rules };
        stage.hold(HELD);
        stage
    }

    /// From the next worker on, this word is held and no other.
    pub(crate) fn hold(&self, word: &str) {
        let rules = format!(
            "[categories.spam]\nhold = 50\n[[list]]\nid = \"words\"\ncategory = \"spam\"\nweight = 60\nterms = [\"{word}\"]\n"
        );
        std::fs::write(self.rules.path(), rules).expect("the file is ours");
    }

    /// Starts a worker process.
    pub(crate) fn start(&self, failpoints: &str, args: &[&str]) -> Program {
        let mut environment = self.ground.environment();
        environment.push(("SLUICE_RULES", self.rules.path().display().to_string()));
        if !failpoints.is_empty() {
            environment.push(("FAILPOINTS", failpoints.to_owned()));
        }
        start(&environment, args)
    }

    /// Starts one that goes by this clock and waits until it consumes.
    pub(crate) async fn worker_by(&self, clock: &Clock) -> Program {
        let mut environment = self.ground.environment();
        environment.push(("SLUICE_RULES", self.rules.path().display().to_string()));
        environment.extend(clock.environment());
        let worker = start(&environment, &[]);
        worker.says("consuming", 1).await;
        worker
    }

    /// Starts one and waits until it consumes.
    pub(crate) async fn worker(&self, args: &[&str]) -> Program {
        let worker = self.start("", args);
        worker.says("consuming", 1).await;
        worker
    }

    /// So many posts that are held.
    pub(crate) fn held(&self, number: usize) -> Vec<Post> {
        (0..number).map(|_| self.ground.post(HELD)).collect()
    }

    /// Stores a post as a worker does that knows of no cases.
    pub(crate) async fn stored_by_an_old_worker(&self, post: &Post, verdict: Verdict) {
        let scores = vec![Score { category: "spam".to_owned(), sum: 60, hold: Some(50), reject: None, urgent: false }];
        let ruleset = "old@0".to_owned();
        let review = Review { verdict, reasons: Vec::new(), scores, shadow: Vec::new(), ruleset };
        let row = Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None };
        self.ground.store().insert(&[row], "old").await.expect("it can be stored").remove(0).expect("it is stored");
    }

    /// A number that the database knows.
    pub(crate) async fn number(&self, query: &str) -> u64 {
        self.ground.session().await.query_first(query).await.expect("the query is valid").unwrap_or_default()
    }

    /// Waits until nothing waits in the queue, and stops the worker: what it had in flight is then answered.
    pub(crate) async fn drained(&self, mut worker: Program) {
        eventually("the queue to be empty", async || {
            let depth = self.ground.depth().await;
            if depth.ready == 0 { Ok(()) } else { Err(depth) }
        })
        .await;
        assert!(worker.stop().await.success(), "{}", worker.said());
        assert_eq!(self.ground.depth().await.ready, 0, "{}", worker.said());
    }

    /// A person approves a held post.
    pub(crate) async fn approve(&self, post: &Post) {
        let store = self.ground.store();
        let case = store.cases_of(post.id).await.expect("the database answers").remove(0).case;
        let request = DecisionRequest {
            id: Uuid::now_v7(),
            case,
            ruling: Ruling::Approve,
            actor: Actor { name: "ann", role: Role::Moderator, claim: None },
            policies: &[],
            policyset: None,
            message: None,
            note: None,
            act: None,
            recheck: Recheck::default(),
            expected: Some(0),
        };
        let decided = store.decide(&request).await.expect("the database answers");
        decided.expect("there is such a case").expect("nobody has it");
    }

    /// That one person has approved it is what stands, and its one case is closed.
    pub(crate) async fn is_approved(&self, post: &Post) {
        let store = self.ground.store();
        let standing = store.standings(&[post.id]).await.expect("the database answers").remove(0);
        assert_eq!((standing.standing, standing.revision), (Verdict::Approved, 1));
        let cases = store.cases_of(post.id).await.expect("the database answers");
        assert_eq!(cases.iter().map(|case| case.state).collect::<Vec<_>>(), ["decided"]);
    }

    /// Each of these posts is a row or a dead letter; no row is doubled; each held row has exactly one case and one
    /// event of it, and no other row has one. Gives the number of cases.
    pub(crate) async fn accounted(&self, posts: &[Post]) -> u64 {
        let ids: Vec<PostId> = posts.iter().map(|post| post.id).collect();
        let stored = self.ground.store().recorded(&ids).await.expect("the database answers");
        let dead: HashSet<String> = self.ground.dead_letters().await.into_iter().map(|dead| dead.id).collect();
        let lost: Vec<_> = ids.iter().filter(|id| !stored.contains(id) && !dead.contains(&id.to_string())).collect();
        assert_eq!(lost, [] as [&PostId; 0], "lost");
        assert_eq!(self.number("SELECT COUNT(*) FROM posts").await, stored.len() as u64, "rows doubled, or nobody's");
        assert_eq!(
            self.amiss(&dead).await,
            Vec::<String>::new(),
            "held without one case, or a case without a held row"
        );
        let cases = self.number("SELECT COUNT(*) FROM review_cases").await;
        while self.ground.store().number_events(time::Duration::ZERO).await.expect("the database answers") > 0 {}
        assert_eq!(self.number("SELECT COUNT(*) FROM decision_outbox WHERE revision = 0").await, cases, "events");
        cases
    }

    /// The stored posts that have not as many cases as they should, but for those that are dead letters.
    async fn amiss(&self, dead: &HashSet<String>) -> Vec<String> {
        let query = "SELECT p.id FROM posts p LEFT JOIN review_cases c ON c.post = p.id \
                     GROUP BY p.id, p.verdict HAVING COUNT(c.id) <> (p.verdict = 'held')";
        let amiss: Vec<String> = self.ground.session().await.query(query).await.expect("the query is valid");
        amiss.into_iter().filter(|id| !dead.contains(id)).collect()
    }
}
