//! What becomes of posts that are sent more than once, or in an older form, as far as their rows.

use std::path::Path;
use std::time::Instant;

use sluice_core::post::PostId;
use sluice_lab::testing::{Ground, Program, Proxy, eventually};

use crate::publish::many;
use crate::storm::Storm;
use crate::support::{PROGRAM, Reply, Server, body_in_pieces, until};

/// The front door and a worker, on a ground with a database.
struct Way {
    server: Server,
    worker: Program,
    /// Where the worker shows its metrics.
    metrics_url: String,
}

impl Way {
    async fn open(ground: &Ground, amqp_url: Option<String>) -> Self {
        let mut environment = ground.environment();
        let program = Path::new(PROGRAM).with_file_name("sluice-worker");
        let worker = Program::start(
            program.to_str().expect("a path in UTF-8"),
            &["run", "--listen", "127.0.0.1:0", "--log-format", "json"],
            &environment,
        );
        worker.says("consuming", 1).await;
        let metrics_url = eventually("the worker to say where it listens", async || {
            let said = worker.said();
            let mut events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            events.find_map(|event| Some(format!("http://{}/metrics", event["address"].as_str()?))).ok_or(said)
        })
        .await;
        environment.extend(amqp_url.map(|url| ("AMQP_URL", url)));
        let args = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
        let server = Server::accepting(Program::start(PROGRAM, &args, &environment)).await;
        Self { server, worker, metrics_url }
    }

    /// Waits until the worker has counted so many posts of this kind.
    async fn recorded(&self, result: &str, posts: usize) {
        let line = format!("sluice_posts_recorded_total{{result=\"{result}\"}} {posts}");
        eventually("the worker to count them", async || {
            let metrics =
                reqwest::get(&self.metrics_url).await.expect("an answer").text().await.expect("a whole answer");
            if metrics.lines().any(|found| found == line) { Ok(()) } else { Err(metrics) }
        })
        .await;
    }
}

/// The ids of all rows.
async fn rows(ground: &Ground) -> Vec<String> {
    use mysql_async::prelude::Queryable as _;
    ground.session().await.query("SELECT id FROM posts ORDER BY id").await.expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_sent_twice_is_one_row_and_its_second_delivery_is_counted() {
    let ground = Ground::new().await;
    let way = Way::open(&ground, None).await;
    let (id, plain) = (PostId::new(), r#"{"title":"t","content":"c"}"#);
    let named = format!(r#"{{"title":"t","content":"c","id":"{id}","later":{{"field":[1]}}}}"#);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let by_id = way.server.post("/posts", "application/json", named.clone());
        sent.push(Reply::of(by_id).await.id());
        let by_key = way.server.post("/posts", "application/json", plain).header("idempotency-key", "once");
        sent.push(Reply::of(by_key).await.id());
        let batch = way.server.post("/posts/batch", "application/x-ndjson", format!("{plain}\n{plain}\n"));
        let batch = Reply::of(batch.header("idempotency-key", "once")).await;
        sent.extend(results(&batch.text).into_iter().map(|(id, _)| id));
    }
    assert_eq!(sent[..4], sent[4..], "the second try got other ids");
    way.recorded("inserted", 4).await;
    way.recorded("already_recorded", 4).await;
    let mut expected = sent[..4].to_vec();
    expected.sort();
    assert_eq!(rows(&ground).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_an_older_producer_become_rows() {
    let ground = Ground::new().await;
    let way = Way::open(&ground, None).await;
    let (bare, named) = (PostId::new().to_string(), PostId::new().to_string());
    // Without type, timestamp and content type; the first also without all that is not the text itself.
    let first = (Some(bare.clone()), br#"{"title":"old","content":"c"}"#.to_vec());
    let second = (None, format!(r#"{{"id":"{named}","title":"old","content":"c","mood":"calm"}}"#).into_bytes());
    ground.publish_raw(&[first, second]).await;
    way.recorded("inserted", 2).await;
    let mut expected = vec![bare, named];
    expected.sort();
    assert_eq!(rows(&ground).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_refused_and_sent_again_is_one_row() {
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.broker_address()).expect("a free port");
    let mut way = Way::open(&ground, Some(ground.amqp_url_via(proxy.addr()))).await;
    let storm = Storm::begin(&way.server, 16);
    for round in 0..6 {
        storm.accepts(50).await;
        let struck = Instant::now();
        if round % 2 == 0 {
            proxy.cut()
        } else {
            proxy.freeze()
        }
        until("senders are refused", async || storm.since(struck).iter().any(|answer| answer.status == 503)).await;
        proxy.heal();
        storm.accepts_after(Instant::now()).await;
    }
    let answers = storm.answers();
    let accepted = storm.end().await;
    // Only now: the last requests may be answered while it ends.
    let answers = answers.lock().expect("nobody panics with it").clone();
    let sent: std::collections::HashSet<_> = answers.into_iter().filter_map(|answer| answer.id).collect();
    eventually("every accepted post to be a row", async || {
        let rows: std::collections::HashSet<_> = rows(&ground).await.into_iter().collect();
        let missing = accepted.difference(&rows).count();
        if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} are missing", accepted.len())) }
    })
    .await;
    // What nobody accepted may be there: its sender was told that nobody knows.
    let strangers = rows(&ground).await.into_iter().filter(|id| !sent.contains(id) && !accepted.contains(id)).count();
    assert_eq!(strangers, 0, "rows that nobody sent");
    assert!(way.worker.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_refused_in_part_and_is_sent_again_is_one_row_a_line() {
    const LINES: usize = 1000;
    let ground = Ground::new().await;
    let proxy = Proxy::start(ground.broker_address()).expect("a free port");
    let way = Way::open(&ground, Some(ground.amqp_url_via(proxy.addr()))).await;
    let request = |body: reqwest::Body| {
        way.server.post("/posts/batch", "application/x-ndjson", body).header("idempotency-key", "import-9")
    };
    let (pieces, body) = body_in_pieces();
    pieces.send(many(LINES / 2).leak()).expect("the request is open");
    let mut answer = request(body).send().await.expect("it answers while the rest is still to come");
    let mut text = answer.chunk().await.expect("it streams").expect("a result").to_vec();
    proxy.cut();
    pieces.send(many(LINES - LINES / 2).leak()).expect("the request is still open");
    drop(pieces);
    while let Some(more) = answer.chunk().await.expect("it streams to its end") {
        text.extend_from_slice(&more);
    }
    proxy.heal();
    until("it is ready", async || way.server.get("/readyz").await.status == 200).await;
    let first = results(std::str::from_utf8(&text).expect("text"));
    let again = results(&Reply::of(request(many(LINES).into())).await.text);
    let queued = |results: &[(String, bool)]| results.iter().filter(|(_, queued)| *queued).count();
    println!("{} of {LINES} lines queued at first, {} at the second try", queued(&first), queued(&again));
    assert!((1..LINES).contains(&queued(&first)), "it was not cut in the middle");
    assert_eq!(queued(&again), LINES);
    let mut lines: Vec<_> = again.into_iter().map(|(id, _)| id).collect();
    assert!(lines.iter().eq(first.iter().map(|(id, _)| id)), "a line has another id at the second try");
    lines.sort();
    eventually("all lines to be rows", async || match rows(&ground).await {
        rows if rows == lines => Ok(()),
        rows => Err(rows.len()),
    })
    .await;
}

/// The id of each line, and whether it was queued.
fn results(text: &str) -> Vec<(String, bool)> {
    let results = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a result is JSON"));
    results.map(|result| (result["id"].as_str().expect("an id").to_owned(), result["status"] == "queued")).collect()
}
