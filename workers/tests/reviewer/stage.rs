//! A worker with rules that leave doubt, and a reviewer to ask.

use std::io::Write as _;

use sluice_core::post::Post;
use sluice_core::verdict::Reason;
use sluice_lab::testing::{Ground, Program};
use sluice_mysql::StoredPost;
use tempfile::NamedTempFile;

use crate::server::MODEL;
use crate::support::{start, stored};

/// `doubtful` comes near the threshold, `suspicious` is held, `forbidden` is rejected.
const RULES: &str = r#"
name = "site"
[categories.spam]
hold = 50
reject = 100
[[list]]
id = "doubt"
category = "spam"
weight = 30
terms = ["doubtful"]
[[list]]
id = "hold"
category = "spam"
weight = 60
terms = ["suspicious"]
[[list]]
id = "bad"
category = "spam"
weight = 100
terms = ["forbidden"]
"#;

/// The key that no log may show.
pub(crate) const KEY: &str = "sk-test-hunter2-0123456789";

/// A ground, with a worker that asks.
pub(crate) struct Stage {
    pub(crate) ground: Ground,
    pub(crate) worker: Program,
    rules: NamedTempFile,
}

/// What is to be read on a row.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) row: StoredPost,
    pub(crate) reasons: Vec<Reason>,
}

impl Told {
    /// The verdict and the first reason's rule.
    pub(crate) fn outcome(&self) -> (&str, &str) {
        (&self.row.verdict, self.reasons.first().map_or("", |reason| reason.rule.as_str()))
    }
}

impl Stage {
    /// Starts a worker that asks there.
    pub(crate) async fn new(url: &str, args: &[&str]) -> Self {
        let ground = Ground::new().await;
        let mut rules = NamedTempFile::with_suffix(".toml").expect("a file");
        rules.write_all(RULES.as_bytes()).expect("it can be written");
        let worker = begin(&ground, rules.path().to_str().expect("a name in UTF-8"), url, args);
        worker.says("consuming", 1).await;
        Self { ground, worker, rules }
    }

    /// Another worker like the first.
    pub(crate) async fn another(&self, url: &str, args: &[&str]) -> Program {
        let worker = begin(&self.ground, self.rules.path().to_str().expect("a name in UTF-8"), url, args);
        worker.says("consuming", 1).await;
        worker
    }

    /// Sends a post with this title and tells how it came out.
    pub(crate) async fn report(&self, title: &str) -> Told {
        let post = self.ground.post(title);
        self.ground.publish(std::slice::from_ref(&post)).await;
        self.told(&post).await
    }

    /// How a post came out that was sent.
    pub(crate) async fn told(&self, post: &Post) -> Told {
        let row = stored(&self.ground, post.id).await;
        let reasons = serde_json::from_str(&row.reasons).expect("reasons in JSON");
        Told { row, reasons }
    }
}

fn begin(ground: &Ground, rules: &str, url: &str, args: &[&str]) -> Program {
    let mut environment = ground.environment();
    environment.push(("RUST_LOG", "trace".to_owned()));
    environment.push(("SLUICE_REVIEWER_KEY", KEY.to_owned()));
    let fixed = ["--rules", rules, "--reviewer-url", url, "--reviewer-model", MODEL];
    start(&environment, &[&fixed, args].concat())
}
