//! Authors whom nobody knows are read more strictly.

mod support;

use mysql_async::prelude::Queryable as _;
use sluice_core::post::Post;
use sluice_core::verdict::Reason;
use sluice_lab::testing::{Ground, Program, eventually};
use sluice_mysql::StoredPost;
use support::{start, stored};
use tempfile::NamedTempFile;

/// A sum of 43 holds a stranger's post, where 50 holds anybody's.
const RULES: &str = "[categories.spam]\nhold = 50\n\
                     [[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 43\nterms = [\"bargain\"]\n";

struct Stage {
    ground: Ground,
    worker: Program,
    _rules: NamedTempFile,
}

impl Stage {
    async fn new(args: &[&str]) -> Self {
        let ground = Ground::new().await;
        let rules = NamedTempFile::with_suffix(".toml").expect("a temporary file");
        std::fs::write(rules.path(), RULES).expect("the file is ours");
        let mut environment = ground.environment();
        environment.push(("SLUICE_RULES", rules.path().display().to_string()));
        environment.push(("RUST_LOG", "info,sluice_worker=debug".to_owned()));
        let worker = start(&environment, args);
        worker.says("consuming", 1).await;
        Self { ground, worker, _rules: rules }
    }

    /// What becomes of a post with this content by this author.
    async fn said(&self, author: Option<&str>, content: &str) -> StoredPost {
        let post = Post { content: content.to_owned(), author: author.map(str::to_owned), ..self.ground.post("x") };
        self.ground.publish(std::slice::from_ref(&post)).await;
        stored(&self.ground, post.id).await
    }

    /// Waits until the author is noted, and lets so many days pass since.
    async fn known_for(&self, author: &str, days: u32) {
        let mut connection = self.ground.session().await;
        eventually("the author to be noted", async || {
            let there: Option<u8> = connection
                .exec_first("SELECT 1 FROM authors WHERE name = ?", (author,))
                .await
                .map_err(|error| error.to_string())?;
            there.ok_or_else(|| "not yet".to_owned())
        })
        .await;
        let back = format!("UPDATE authors SET first_seen = first_seen - INTERVAL {days} DAY WHERE name = '{author}'");
        self.ground.sql(&back).await;
    }
}

/// The last of a row's reasons.
fn last(row: &StoredPost) -> Reason {
    let reasons: Vec<Reason> = serde_json::from_str(&row.reasons).expect("reasons");
    reasons.into_iter().last().expect("there is one")
}

#[tokio::test]
async fn what_nearly_holds_a_post_holds_that_of_a_stranger_until_he_is_known() {
    let stage = Stage::new(&[]).await;
    let row = stage.said(None, "a bargain").await;
    assert_eq!((row.verdict.as_str(), last(&row).rule.as_str()), ("held", "stranger"));
    assert_eq!(last(&row).text, "a post without an author");
    assert_eq!(stage.said(None, "fine").await.verdict, "approved");

    let row = stage.said(Some("ann"), "a bargain").await;
    assert_eq!((row.verdict.as_str(), last(&row).text.as_str()), ("held", "an author not seen before"));
    // What was answered holds for ten seconds: another one is asked about anew.
    assert_eq!(stage.said(Some("bob"), "fine").await.verdict, "approved");
    stage.known_for("bob", 2).await;
    assert_eq!(stage.said(Some("bob"), "a bargain").await.verdict, "approved");
    stage.known_for("ann", 2).await;
    eventually("ann to be known", async || match stage.said(Some("ann"), "a bargain").await.verdict.as_str() {
        "approved" => Ok(()),
        verdict => Err(verdict.to_owned()),
    })
    .await;
}

#[tokio::test]
async fn off_means_off_and_an_author_that_cannot_be_asked_about_is_a_stranger() {
    let stage = Stage::new(&["--strangers", "off"]).await;
    assert_eq!(stage.said(None, "a bargain").await.verdict, "approved");
    let stage = Stage::new(&[]).await;
    assert_eq!(stage.said(Some("ann"), "fine").await.verdict, "approved");
    stage.known_for("ann", 2).await;
    stage.ground.sql("RENAME TABLE authors TO authors_away").await;
    assert_eq!(stage.said(Some("ann"), "a bargain").await.verdict, "held");
    stage.worker.says("all are read as strangers", 1).await;
    stage.ground.sql("RENAME TABLE authors_away TO authors").await;
    assert_eq!(stage.said(Some("ann"), "a bargain").await.verdict, "approved");
}
