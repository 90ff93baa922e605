//! `POST /posts/batch`: one result a line, in order, whatever becomes of the others.

use std::time::Duration;

use sluice_core::post::PostId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Ground, Reply, Server, ids};

const NDJSON: &str = "application/x-ndjson";

async fn send(server: &Server, body: impl Into<reqwest::Body>) -> Vec<serde_json::Value> {
    let reply = Reply::of(server.post("/posts/batch", NDJSON, body)).await;
    assert_eq!((reply.status, reply.content_type.as_str()), (200, NDJSON), "{}", reply.text);
    reply.text.lines().map(|line| serde_json::from_str(line).expect("a result is JSON")).collect()
}

fn queued(results: &[serde_json::Value]) -> Vec<String> {
    let queued = results.iter().filter(|result| result["status"] == "queued");
    let mut ids: Vec<_> = queued.map(|result| result["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_in_the_order_of_the_lines_and_bad_lines_harm_no_others() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let (mut body, mut expected) = (Vec::new(), Vec::new());
    let long = "x".repeat(1024 * 1024);
    for line in 1..=1000_u64 {
        let (text, status) = match line % 100 {
            10 => ("nonsense".to_owned(), Some(400)),
            20 => (r#"{"title":"t"}"#.to_owned(), Some(422)),
            30 => (format!(r#"{{"title":"t","content":"{long}"}}"#), Some(413)),
            40 => (" \t".to_owned(), None),
            50 => ("\r".to_owned(), None),
            _ => (format!(r#"{{"title":"post {line}","content":"c"}}"#), Some(200)),
        };
        body.extend_from_slice(text.as_bytes());
        body.push(b'\n');
        if line % 100 == 60 {
            body.truncate(body.len() - 3);
            body.extend_from_slice(b"\xff\"}\n");
        }
        let status = if line % 100 == 60 { Some(400) } else { status };
        expected.extend(status.map(|status| (line, status)));
    }
    let results = send(&server, body).await;
    let found: Vec<_> = results
        .iter()
        .map(|result| {
            let status = if result["status"] == "queued" { Some(200) } else { result["error"]["status"].as_u64() };
            (result["line"].as_u64().expect("a line"), status.expect("a status"))
        })
        .collect();
    assert_eq!(found, expected);
    let refused = results.iter().filter(|result| result["status"] == "refused");
    assert!(refused.clone().all(|result| result["error"]["type"].is_string() && result["error"]["detail"].is_string()));
    assert_eq!(refused.count(), 40);
    assert_eq!(ids(&ground.take_all().await), queued(&results));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_usual_name_of_the_content_type_is_taken_and_no_other() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let line = r#"{"title":"t","content":"c"}"#;
    for name in
        ["application/x-ndjson", "application/ndjson", "application/json-lines", "Application/JSONL; charset=utf-8"]
    {
        assert_eq!(Reply::of(server.post("/posts/batch", name, line)).await.status, 200, "{name}");
    }
    for name in ["application/json", "text/plain"] {
        let reply = Reply::of(server.post("/posts/batch", name, line)).await;
        assert_eq!((reply.status, reply.problem().as_str()), (415, "wrong-content-type"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_has_no_results() {
    let ground = Ground::new();
    let server = ground.serve().await;
    assert!(send(&server, "").await.is_empty());
    assert!(send(&server, "\n\n \n").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_sent_again_with_its_key_gets_the_same_ids() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let id = PostId::new();
    let body =
        format!("{{\"title\":\"1\",\"content\":\"c\"}}\n{{\"title\":\"2\",\"content\":\"c\",\"id\":\"{id}\"}}\n");
    let send = async |key: &'static str| {
        Reply::of(server.post("/posts/batch", NDJSON, body.clone()).header("Idempotency-Key", key)).await
    };
    let first = send("batch-1").await.text;
    assert_eq!(send("batch-1").await.text, first);
    let other = send("batch-2").await.text;
    assert_ne!(other, first);
    assert!(other.contains(&id.to_string()) && first.contains(&id.to_string()));
    let wrong = send("with space").await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (422, "invalid-post"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_before_it_has_sent_all_is_served() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let address = server.url.trim_start_matches("http://");
    // Results are longer than these lines, and together far longer than what the sockets hold.
    let body = "{}\n".repeat(90_000);
    let head = format!(
        "POST /posts/batch HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {NDJSON}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut wire = TcpStream::connect(address).await.expect("it listens");
    let mut answer = String::new();
    let talk = async {
        wire.write_all(head.as_bytes()).await?;
        wire.write_all(body.as_bytes()).await?;
        wire.read_to_string(&mut answer).await
    };
    let talked = tokio::time::timeout(Duration::from_secs(60), talk).await;
    talked.expect("neither side waits for the other").expect("the connection holds");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(answer.matches(r#""status":"refused""#).count(), 90_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_beyond_its_limits_is_refused_from_there_on() {
    let ground = Ground::new();
    let server = ground.serve_with(&["--max-batch", "300", "--max-body", "100"], &[]).await;
    let line = "{\"title\":\"t\",\"content\":\"c\"}\n";
    let announced = Reply::of(server.post("/posts/batch", NDJSON, line.repeat(20))).await;
    assert_eq!((announced.status, announced.problem().as_str()), (413, "too-large"));

    let pieces = (0..20).map(move |_| Ok::<_, std::io::Error>(line));
    let unannounced = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let results = send(&server, unannounced).await;
    let (last, taken) = results.split_last().expect("results");
    assert_eq!(last["error"]["status"], 413);
    assert_eq!(last["line"], taken.len() + 1);
    assert!(taken.iter().all(|result| result["status"] == "queued"));
    assert_eq!(ids(&ground.take_all().await), queued(&results));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_queue_is_full_exactly_the_queued_lines_are_in_it() {
    let ground = Ground::with_max_length(Some(50));
    let server = ground.serve().await;
    let results = send(&server, "{\"title\":\"t\",\"content\":\"c\"}\n".repeat(3000)).await;
    assert_eq!(results.len(), 3000);
    let refused: Vec<_> = results.iter().filter(|result| result["status"] == "refused").collect();
    assert!(!refused.is_empty(), "3000 posts went into a queue of 50");
    assert!(refused.iter().all(|result| result["error"]["status"] == 503 && result["id"].is_string()));
    assert_eq!(ids(&ground.take_all().await), queued(&results));
}
