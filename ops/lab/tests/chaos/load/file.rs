//! Posts from a file, by `sluice-producer publish --receipts`. Whenever it ends before all have a receipt, killed or by
//! itself, it is started again with those that have none, as an operator would.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use sluice_core::post::PostId;
use tokio::time::sleep;

use super::{Book, Draft};
use crate::stage::Stage;

/// How long all of it may take.
const IN_ALL: Duration = Duration::from_secs(300);

/// Publishes the posts, spread over `window`.
pub(super) async fn send(stage: &Stage<'_>, book: &Book, posts: Vec<Draft>, window: Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (lines, receipts) = (folder.path().join("posts.ndjson"), folder.path().join("receipts"));
    let rate = format!("{:.3}", (posts.len() as f64 / window.as_secs_f64()).max(1.0));
    let begun = Instant::now();
    posts.iter().for_each(|post| book.sending(post));
    loop {
        let confirmed = confirmed(&receipts);
        let open: Vec<&Draft> = posts.iter().filter(|post| !confirmed.contains(&post.id)).collect();
        if open.is_empty() || begun.elapsed() > IN_ALL {
            confirmed.into_iter().for_each(|id| book.accepted(id));
            if !open.is_empty() {
                stage.problem(format!("{} lines of the file were not published in {IN_ALL:?}", open.len()));
            }
            return;
        }
        write(&lines, &open);
        let (lines, receipts) = (lines.display().to_string(), receipts.display().to_string());
        let args = ["publish", &lines, "--rate", &rate, "--receipts", &receipts, "--patience", "90s"];
        *stage.publisher.lock().await = Some(stage.new_publisher(&args));
        until_ended(stage).await;
    }
}

/// Waits for the publisher's end, without holding it: a fault may kill it.
async fn until_ended(stage: &Stage<'_>) {
    loop {
        let mut publisher = stage.publisher.lock().await;
        let Some(running) = publisher.as_mut() else { return };
        if running.has_ended().is_some() {
            let said = running.said();
            *publisher = None;
            stage.findings().said.push(said);
            return;
        }
        drop(publisher);
        sleep(Duration::from_millis(50)).await;
    }
}

fn write(path: &Path, posts: &[&Draft]) {
    let line = |post: &&Draft| {
        json!({"id": post.id.to_string(), "title": post.title, "content": post.content}).to_string() + "\n"
    };
    fs::write(path, posts.iter().map(line).collect::<String>()).expect("a folder of our own");
}

/// The ids with a receipt. Each line is whole: a receipt is written in one call.
fn confirmed(receipts: &Path) -> HashSet<PostId> {
    let text = fs::read_to_string(receipts).unwrap_or_default();
    text.lines().map(|line| line.parse().expect("a receipt is an id")).collect()
}
