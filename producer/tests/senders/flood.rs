//! A sender that floods costs nobody but itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::register::{Register, entry, post};
use crate::support::{Ground, Server, until};

fn two(rest: &str) -> Register {
    Register::new(&(entry("greedy", rest) + &entry("modest", "rate = 100000")))
}

fn address(server: &Server) -> String {
    server.url.trim_start_matches("http://").to_owned()
}

fn head(path: &str, content_type: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer greedy\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// Sees that the other sender's posts are all accepted.
async fn modest_is_served(server: &Server, posts: usize) {
    for number in 0..posts {
        let reply = post(server, "modest", &format!("modest {number}")).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_beyond_a_senders_rate_gets_429_and_the_other_all_its_202s() {
    let ground = Ground::new();
    let server = Arc::new(two("rate = 5\nburst = 5").serve(&ground, &[]).await);
    let (stop, limited) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut flood = JoinSet::new();
    for _ in 0..32 {
        let (server, stop, limited) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&limited));
        flood.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let reply = post(&server, "greedy", "a flood").await;
                assert!(matches!(reply.status, 202 | 429), "{}", reply.text);
                limited.fetch_add(u64::from(reply.status == 429), Ordering::Relaxed);
            }
        });
    }
    until("the flood is refused", async || limited.load(Ordering::Relaxed) > 100).await;
    modest_is_served(&server, 200).await;
    let refused_meanwhile = limited.load(Ordering::Relaxed);
    until("the flood goes on", async || limited.load(Ordering::Relaxed) > refused_meanwhile).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = flood.join_next().await {
        ended.expect("every answer was 202 or 429");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_one_sender_that_fill_its_share_of_memory_leave_the_rest_to_the_other() {
    let ground = Ground::new();
    let server = two("").serve(&ground, &["--memory", "8MiB"]).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut wire = TcpStream::connect(address(&server)).await.expect("it listens");
        let begun = head("/posts", "application/json", 1024 * 1024) + &"x".repeat(1024 * 1024 - 10);
        // The first ones are kept, the others are refused while they still send.
        let _ = wire.write_all(begun.as_bytes()).await;
        open.push(wire);
    }
    server.program.says("SLUICE_MEMORY", 1).await;
    modest_is_served(&server, 20).await;
    let large = serde_json::json!({"title": "t", "content": "x".repeat(90_000)}).to_string();
    let reply = server.post("/posts", "application/json", large).bearer_auth("modest").send().await.expect("an answer");
    assert_eq!(reply.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_sender_that_never_end_leave_connections_to_the_other() {
    let ground = Ground::new();
    let server = two("").serve(&ground, &["--max-connections", "16"]).await;
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..30 {
        let mut wire = TcpStream::connect(address(&server)).await.expect("it listens");
        let begun = head("/posts", "application/json", 100).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
        wire.write_all(begun.as_bytes()).await.expect("it is taken");
        let mut answer = [0; 12];
        wire.read_exact(&mut answer).await.expect("an answer");
        match &answer {
            b"HTTP/1.1 100" => open.push(wire),
            b"HTTP/1.1 429" => refused += 1,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
        modest_is_served(&server, 1).await;
    }
    assert_eq!((open.len(), refused), (8, 22));
}
