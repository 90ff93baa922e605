//! The flood: the bundled posts, over HTTP, in batches; and a message from another program.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// Lines of one request.
const BATCH: usize = 50;

/// The id of the message that is no post.
pub(super) const STRANGER: &str = "order-4711";

/// What became of the lines.
#[derive(Debug)]
pub(super) struct Sent {
    /// The ids of those that were accepted, in order.
    pub(super) accepted: Vec<String>,
    /// A line for each that was not.
    pub(super) refused: Vec<String>,
    /// From the first request to the last answer.
    pub(super) took: Duration,
}

/// One line of the answer.
#[derive(Debug, Deserialize)]
struct Answer {
    line: usize,
    id: Option<String>,
    status: String,
    error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    detail: String,
}

/// Sends all lines.
pub(super) async fn send(lines: &str, producer: &str) -> anyhow::Result<Sent> {
    let client = reqwest::Client::new();
    let lines: Vec<&str> = lines.lines().collect();
    let mut sent = Sent { accepted: Vec::new(), refused: Vec::new(), took: Duration::ZERO };
    let begun = Instant::now();
    for (number, batch) in lines.chunks(BATCH).enumerate() {
        let request = client
            .post(format!("{producer}/posts/batch"))
            .header("content-type", "application/x-ndjson")
            .body(batch.join("\n"));
        let answer = request.send().await?.error_for_status().context("the producer refused a batch")?.text().await?;
        for line in answer.lines() {
            let answer: Answer = serde_json::from_str(line).with_context(|| format!("not an answer: {line}"))?;
            match (answer.id, answer.error) {
                (Some(id), None) => sent.accepted.push(id),
                (_, Some(problem)) => {
                    sent.refused.push(format!("line {}: {}", number * BATCH + answer.line, problem.detail));
                }
                (None, None) => sent.refused.push(format!("line {}: {}", answer.line, answer.status)),
            }
        }
    }
    sent.took = begun.elapsed();
    Ok(sent)
}

/// Puts a message into the queue that is no post, by RabbitMQ's own management API; its address has user and password.
pub(super) async fn publish_as_a_stranger(management: &str, exchange: &str) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Routed {
        routed: bool,
    }
    let message = serde_json::json!({
        "properties": { "delivery_mode": 2, "message_id": STRANGER },
        "routing_key": sluice_rabbit::topology::ROUTING_KEY,
        "payload": "<order number=\"4711\"/>",
        "payload_encoding": "string",
    });
    let publish =
        reqwest::Client::new().post(format!("{management}/api/exchanges/%2f/{exchange}/publish")).json(&message);
    let answer: Routed = publish.send().await?.error_for_status()?.json().await?;
    ensure!(answer.routed, "the stranger's message found no queue");
    Ok(())
}
