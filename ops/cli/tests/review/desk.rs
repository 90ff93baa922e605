//! A ground with held posts and their cases.

use std::process::Stdio;

use serde_json::Value;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Reason, Review, Score, Verdict};
use sluice_mysql::Row;
use sluice_mysql::review::NewCase;
use time::OffsetDateTime;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::support::{Ground, PATIENCE, Ran, post, text};

/// A test's own servers' part, with cases in it.
pub(crate) struct Desk {
    pub(crate) ground: Ground,
}

/// A held post, and its case.
pub(crate) struct Held {
    pub(crate) post: String,
    pub(crate) case: String,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self { ground: Ground::new().await }
    }

    /// Stores a post as held, and opens no case.
    pub(crate) async fn store(&self, post: &Post, category: &str, sum: u32) {
        self.store_by(post, &["a-rule"], category, sum).await;
    }

    /// The same by these rules.
    async fn store_by(&self, post: &Post, rules: &[&str], category: &str, sum: u32) {
        let found = "what";
        let span = post.content.find(found).map_or([0, 0], |at| [at, at + found.len()]);
        let reason = |rule: &&str| Reason {
            rule: (*rule).to_owned(),
            category: category.to_owned(),
            field: "content".to_owned(),
            span,
            text: found.to_owned(),
            matched: found.to_owned(),
            steps: Vec::new(),
        };
        let score = Score { category: category.to_owned(), sum, hold: Some(50), reject: Some(100), urgent: false };
        let review = Review {
            verdict: Verdict::Held,
            reasons: rules.iter().map(reason).collect(),
            scores: vec![score],
            shadow: Vec::new(),
            ruleset: "test@0".to_owned(),
        };
        let row = Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None };
        self.ground.store.insert(&[row], "test").await.expect("it can be stored").remove(0).expect("it is stored");
    }

    /// Opens the case of a post, as its worker does.
    pub(crate) async fn open(&self, post: PostId) -> String {
        let held = self.ground.store.held_without_case(&[post]).await.expect("MySQL answers");
        let cases: Vec<NewCase> = held
            .into_iter()
            .map(|post| {
                let fingerprint = sluice_review::fingerprint(&post.title, &post.content);
                post.case(fingerprint)
            })
            .collect();
        self.ground.store.open_cases(&cases).await.expect("it can be opened");
        self.ground.store.cases_of(post).await.expect("MySQL answers").remove(0).case.to_string()
    }

    /// A held post with its case.
    pub(crate) async fn held(&self, title: &str, sum: u32) -> Held {
        self.held_of(Post { author: Some("bob".to_owned()), ..post(title) }, "spam", sum).await
    }

    /// The same for this post.
    pub(crate) async fn held_of(&self, post: Post, category: &str, sum: u32) -> Held {
        self.store(&post, category, sum).await;
        Held { case: self.open(post.id).await, post: post.id.to_string() }
    }

    /// The same by these rules.
    pub(crate) async fn held_by(&self, post: &Post, rules: &[&str]) -> Held {
        self.store_by(post, rules, "spam", 60).await;
        Held { case: self.open(post.id).await, post: post.id.to_string() }
    }

    /// So many held posts with the same text.
    pub(crate) async fn twins(&self, count: usize) -> Vec<Held> {
        let mut twins = Vec::with_capacity(count);
        for _ in 0..count {
            twins.push(self.held("the same", 60).await);
        }
        twins
    }

    /// Runs `sluice review …`.
    pub(crate) async fn review(&self, args: &[&str]) -> Ran {
        self.ground.sluice(&[&["review"], args].concat()).await
    }

    /// A decision of a command that has to succeed.
    pub(crate) async fn decided(&self, case: &str, word: &str, name: &str) -> Value {
        self.review(&["decide", case, word, "--as", name, "--json"]).await.ok().object()
    }

    /// The state of a case, as `list` shows it.
    pub(crate) async fn state(&self, case: &str) -> String {
        text(&self.review(&["show", case, "--json"]).await.ok().object(), "state")
    }

    /// How many cases are in this state.
    pub(crate) async fn count(&self, state: &str) -> usize {
        self.review(&["list", "--state", state, "--json"]).await.ok().lines().len()
    }

    /// Ends the time of all claims, as the clock would.
    pub(crate) async fn let_claims_lapse(&self) {
        let back = "UPDATE review_cases SET claimed_at = claimed_at - INTERVAL 2 HOUR, \
                    claimed_until = claimed_until - INTERVAL 2 HOUR";
        self.ground.sql(back).await;
    }

    /// Starts a command on a terminal of its own, 80 columns wide; its keys are the child's stdin.
    pub(crate) fn on_a_terminal(&self, args: &str) -> Child {
        let sluice = self.ground.command(&[]);
        let mut command = Command::new("script");
        let line = format!("stty rows 24 cols 80; exec {} {args}", env!("CARGO_BIN_EXE_sluice"));
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.envs(sluice.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        command.spawn().expect("`script` is a part of Debian's base system")
    }
}

/// Reads what a terminal shows until it holds `words`.
pub(crate) async fn shows(child: &mut Child, words: &str) -> String {
    let page = child.stdout.as_mut().expect("it is piped");
    let mut shown = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&shown).contains(words) {
            assert!(page.read_buf(&mut shown).await.expect("it can be read") > 0, "it ended: {shown:?}");
        }
    };
    assert!(tokio::time::timeout(PATIENCE, read).await.is_ok(), "no {words:?}");
    String::from_utf8_lossy(&shown).into_owned()
}
