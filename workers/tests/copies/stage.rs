//! Workers that count near copies, and posts for them.

use std::time::Duration;

use sluice_core::post::Post;
use sluice_core::verdict::Reason;
use sluice_lab::testing::{Ground, Program, eventually};
use sluice_mysql::StoredPost;
use tempfile::NamedTempFile;

use crate::support::{quick_start, start, stored};

/// What is said many times, each time with another number and another name.
const TEXT: &str = "We buy gold and old watches at the best prices in town, paid in cash on the same day; ask for \
                    {name} on weekdays and call {number} before you sell to anybody else.";
/// Names of about the same length, so that no two texts are the same.
const NAMES: [&str; 6] = ["Ann", "Bob", "Cyd", "Dee", "Eve", "Flo"];

/// A ground, and rules that find nothing.
pub(crate) struct Stage {
    pub(crate) ground: Ground,
    environment: Vec<(&'static str, String)>,
    _rules: NamedTempFile,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let ground = Ground::new().await;
        let (mut environment, rules) = quick_start(&ground);
        environment.push(("RUST_LOG", "info,sluice_rabbit::near_copies=debug,sluice_worker::copies=debug".to_owned()));
        Self { ground, environment, _rules: rules }
    }

    /// Workers that consume.
    pub(crate) async fn workers(&self, count: usize, args: &[&str]) -> Vec<Program> {
        let begin = |number: usize| {
            let name = format!("w-{number}");
            let fixed = ["--name", &name, "--listen", "127.0.0.1:0"];
            start(&self.environment, &[&fixed, args].concat())
        };
        let workers: Vec<Program> = (1..=count).map(begin).collect();
        for worker in &workers {
            worker.says("consuming", 1).await;
        }
        workers
    }

    /// Workers that consume and hear each other.
    pub(crate) async fn sharing(&self, count: usize) -> Vec<Program> {
        let workers = self.workers(count, &[]).await;
        for worker in &workers {
            worker.says("sharing near copies", 1).await;
        }
        workers
    }

    /// So many near copies of one text, each by another author.
    pub(crate) fn copies(&self, count: usize) -> Vec<Post> {
        (0..count).map(|number| self.said(number, &TEXT.replace("{name}", NAMES[number % NAMES.len()]))).collect()
    }

    /// A post by another author for each number, with the number in its text.
    pub(crate) fn said(&self, number: usize, text: &str) -> Post {
        Post {
            content: text.replace("{number}", &(1_000_000 + number * 7919).to_string()),
            author: Some(format!("author {number}")),
            ..self.ground.post("gold")
        }
    }

    /// Sends posts one after the other, each when the one before is stored and every worker knows it.
    pub(crate) async fn told(&self, posts: &[Post], workers: &[Program], known: usize) -> Vec<StoredPost> {
        let mut rows = Vec::new();
        for (at, post) in posts.iter().enumerate() {
            self.ground.publish(std::slice::from_ref(post)).await;
            rows.push(stored(&self.ground, post.id).await);
            agree(workers, known + at + 1).await;
        }
        rows
    }

    /// Sends posts all at once.
    pub(crate) async fn flood(&self, posts: &[Post]) -> Vec<StoredPost> {
        self.ground.publish(posts).await;
        let mut rows = Vec::new();
        for post in posts {
            rows.push(stored(&self.ground, post.id).await);
        }
        rows
    }
}

/// Waits until every worker knows so many posts.
pub(crate) async fn agree(workers: &[Program], posts: usize) {
    eventually("all workers to know the posts", async || {
        let mut known = Vec::new();
        for worker in workers {
            known.push(metric(worker, "sluice_copies_entries").await);
        }
        if known.iter().all(|known| *known == posts as f64) { Ok(()) } else { Err((posts, known)) }
    })
    .await;
}

/// One of a worker's metrics; 0 while it has not been counted.
pub(crate) async fn metric(worker: &Program, name: &str) -> f64 {
    worker.says("address=", 1).await;
    let said = worker.said();
    let address = said.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().expect("a client");
    let answer = client.get(format!("http://{address}/metrics")).send().await.expect("an answer");
    let metrics = answer.text().await.expect("a whole answer");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.trim().parse().expect("a number"))
}

/// The verdicts of rows, in their order.
pub(crate) fn verdicts(rows: &[StoredPost]) -> Vec<&str> {
    rows.iter().map(|row| row.verdict.as_str()).collect()
}

/// How many rows have this verdict.
pub(crate) fn number(rows: &[StoredPost], verdict: &str) -> usize {
    rows.iter().filter(|row| row.verdict == verdict).count()
}

/// The reasons of a row.
pub(crate) fn reasons(row: &StoredPost) -> Vec<Reason> {
    serde_json::from_str(&row.reasons).expect("reasons in JSON")
}
