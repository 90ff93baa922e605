//! Who means harm, and has nothing but a network: silent connections, answers that nobody reads, bodies that stop
//! short. Whatever they do, the front door takes no more memory than it may, says that it is alive, answers the others
//! with 202 or with 503 `overloaded`, says something in its log, and is well again soon after.

#[allow(dead_code, reason = "not all of it is needed here")]
mod support;

use std::time::{Duration, Instant};

use sluice_lab::testing::{Program, in_time};
use support::{Ground, PROGRAM, Reply, Server, gzip, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What the program may have had in memory at its worst, in KiB.
const MEMORY_MAX_KIB: u64 = 128_000;
/// How long an attack lasts at least.
const LASTS: Duration = Duration::from_secs(5);

/// A server with the usual soft limit on open files, which it raises itself.
async fn serve(ground: &Ground, args: &[&str]) -> Server {
    // The attackers are in this process.
    assert!(
        sluice_runtime::health::room_for(2000, "the test") >= 2000,
        "the hard limit on open files is too low for the test"
    );
    let limited = ["-c", "ulimit -Sn 1024; exec \"$0\" \"$@\"", PROGRAM, "serve", "--listen", "127.0.0.1:0"];
    let args = [&limited[..], &["--log-format", "json"], args].concat();
    Server::accepting(Program::start("/bin/sh", &args, &ground.environment())).await
}

fn address(server: &Server) -> String {
    server.url.trim_start_matches("http://").to_owned()
}

fn peak_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.program.pid())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it has memory");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Looks at the server as others would: it is alive, and takes a post or says that it has too much to do.
async fn is_well_for_others(server: &Server) {
    let client = reqwest::Client::new();
    let alive = Reply::of(client.get(format!("{}/healthz", server.url))).await;
    assert_eq!(alive.status, 200, "{}", alive.text);
    in_time("/healthz", alive.took, Duration::from_secs(1));
    let post = server.submit("an honest post").await;
    assert!(post.status == 202 || post.problem() == "overloaded", "{}", post.text);
}

/// Attacks from many connections at once, until the log says these words, and sees that others are served meanwhile
/// and afterwards.
async fn withstands<Attack: Future<Output = ()> + Send + 'static>(
    server: &Server,
    words: &str,
    attackers: usize,
    attack: impl Fn(TcpStream) -> Attack,
) {
    let mut attacks = JoinSet::new();
    for _ in 0..attackers {
        attacks.spawn(attack(TcpStream::connect(address(server)).await.expect("it listens")));
    }
    let begun = Instant::now();
    until(words, async || {
        is_well_for_others(server).await;
        begun.elapsed() > LASTS && server.program.said().contains(words)
    })
    .await;
    attacks.shutdown().await;
    let ended = Instant::now();
    until("a post is accepted again", async || server.submit("after it").await.status == 202).await;
    in_time("a post after the attack", ended.elapsed(), Duration::from_secs(5));
    let peak = peak_kib(server);
    println!("{attackers} attackers: at most {peak} KiB");
    assert!(peak <= MEMORY_MAX_KIB, "{peak} KiB");
}

/// Sends this and then nothing, reads nothing, and stays.
async fn send_and_stay(mut wire: TcpStream, bytes: impl AsRef<[u8]>) {
    let _ = wire.write_all(bytes.as_ref()).await;
    std::future::pending::<()>().await;
    drop(wire);
}

fn request(path: &str, content_type: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_keep_nobody_out() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    withstands(&server, "sent no complete request", 1100, |wire| send_and_stay(wire, "GET /heal")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_beyond_the_limit_make_room_for_others() {
    let ground = Ground::new();
    let server = serve(&ground, &["--max-connections", "50"]).await;
    withstands(&server, "closed for new ones", 300, |wire| send_and_stay(wire, "GET /heal")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_whose_answers_nobody_reads_are_held_back() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    withstands(&server, "overloaded", 10, |wire| {
        let body = "{}\n".repeat(99_999);
        send_and_stay(wire, request("/posts/batch", "application/x-ndjson", body.len()) + &body)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_lines_with_every_fault_are_held_back_too() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    let line = r#"{"title":[1,2],"content":{},"author":7,"id":"x","title":1,"content":2,"author":3,"id":4}"#;
    withstands(&server, "did not read their responses", 10, |wire| {
        let body = format!("{line}\n").repeat(99_999);
        send_and_stay(wire, request("/posts/batch", "application/x-ndjson", body.len()) + &body)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_stop_short_of_their_end_take_no_more_than_there_is_room_for() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    withstands(&server, "overloaded", 400, |wire| {
        let begun = vec![b'x'; 1024 * 1024 - 10];
        let head = request("/posts", "application/json", 1024 * 1024).into_bytes();
        send_and_stay(wire, [head, begun].concat())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_an_answer_is_hung_up_on() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    withstands(&server, "did not read their responses", 2, |wire| {
        let body = "{}\n".repeat(99_999);
        send_and_stay(wire, request("/posts/batch", "application/x-ndjson", body.len()) + &body)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_connections_are_busy_a_further_one_is_refused_and_told_so() {
    let ground = Ground::new();
    let server = serve(&ground, &["--max-connections", "4"]).await;
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut wire = TcpStream::connect(address(&server)).await.expect("it listens");
        let head = request("/posts", "application/json", 100).replace("Host: x", "Host: x\r\nExpect: 100-continue");
        wire.write_all(head.as_bytes()).await.expect("it is taken");
        // Who is told to go on is being answered.
        let mut go_on = [0; 25];
        wire.read_exact(&mut go_on).await.expect("an answer");
        assert!(go_on.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&go_on));
        wire.write_all(b"{").await.expect("it is taken");
        busy.push(wire);
    }
    let mut answer = String::new();
    until("the fifth is refused", async || {
        let mut fifth = TcpStream::connect(address(&server)).await.expect("it listens");
        answer.clear();
        // A connection that was silent for a moment made room.
        let _ = tokio::time::timeout(Duration::from_secs(5), fifth.read_to_string(&mut answer)).await;
        answer.starts_with("HTTP/1.1 503 ")
    })
    .await;
    assert!(answer.contains("urn:sluice:problem:overloaded") && answer.contains("connection: close"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    server.program.says("connections were refused", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_little_that_is_packed_to_look_small_takes_no_more_than_its_limit() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    let bomb = gzip(&" ".repeat(200 * 1024 * 1024)).await;
    assert!(bomb.len() < 1024 * 1024);
    let send = async |path: &str, content_type: &str| {
        let request = server.post(path, content_type, bomb.clone()).header("content-encoding", "gzip");
        Reply::of(request).await
    };
    let reply = send("/posts", "application/json").await;
    assert_eq!((reply.status, reply.problem().as_str()), (413, "too-large"));
    let results = send("/posts/batch", "application/x-ndjson").await;
    assert!(results.text.contains("too-large"), "{}", results.text);
    let peak = peak_kib(&server);
    assert!(peak <= MEMORY_MAX_KIB, "{peak} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_sent_all_and_closes_that_half_gets_the_answer() {
    let ground = Ground::new();
    let server = serve(&ground, &[]).await;
    let post = r#"{"title":"t","content":"c"}"#;
    for (path, content_type, expected) in
        [("/posts", "application/json", "HTTP/1.1 202 "), ("/posts/batch", "application/x-ndjson", "HTTP/1.1 200 ")]
    {
        for _ in 0..20 {
            let mut wire = TcpStream::connect(address(&server)).await.expect("it listens");
            let whole = request(path, content_type, post.len()) + post;
            wire.write_all(whole.as_bytes()).await.expect("it is taken");
            wire.shutdown().await.expect("half of it");
            let mut answer = String::new();
            let read = tokio::time::timeout(Duration::from_secs(10), wire.read_to_string(&mut answer)).await;
            read.expect("it is closed at the end").expect("in an orderly way");
            assert!(answer.starts_with(expected) && answer.contains("queued"), "{answer}");
        }
    }
    assert_eq!(ground.take_all().await.len(), 40);
}
