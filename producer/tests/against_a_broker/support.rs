//! What these tests share: a prefix of their own on a real broker, the program, and a wire that can be cut.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::broker::Broker;
use common::config::BrokerArgs;
use common::post::PostId;
use common::topology::Topology;
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sluice-producer");
/// How long a test waits for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A prefix of its own on the broker; gone when dropped.
pub(crate) struct Ground {
    pub(crate) url: String,
    pub(crate) prefix: String,
    max_length: Option<u32>,
}

/// A message as it came out of the queue.
pub(crate) struct Message {
    pub(crate) properties: BasicProperties,
    pub(crate) body: serde_json::Value,
}

impl Message {
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().expect("a post has an id").to_owned()
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self::with_max_length(None)
    }

    pub(crate) fn with_max_length(max_length: Option<u32>) -> Self {
        let url = std::env::var("SLUICE_TEST_AMQP_URL")
            .expect("SLUICE_TEST_AMQP_URL is not set: run ops/test, or: sluice stack run -- cargo test");
        Self { url, prefix: format!("test_{}", uuid::Uuid::new_v4().simple()), max_length }
    }

    fn args(&self) -> BrokerArgs {
        let prefix = self.prefix.parse().expect("a good prefix");
        BrokerArgs { amqp_url: self.url.as_str().into(), prefix, max_length: self.max_length }
    }

    pub(crate) fn topology(&self) -> Topology {
        Topology::new(&self.args())
    }

    pub(crate) async fn connect(&self) -> Connection {
        let broker = Broker::new(&self.args(), "test").expect("SLUICE_TEST_AMQP_URL is a good address");
        broker.connect().await.expect("the broker of SLUICE_TEST_AMQP_URL answers")
    }

    /// Host and port of the broker.
    pub(crate) fn at(&self) -> String {
        Broker::new(&self.args(), "test").expect("SLUICE_TEST_AMQP_URL is a good address").at().to_owned()
    }

    /// Takes every message out of the queue.
    pub(crate) async fn take_all(&self) -> Vec<Message> {
        let connection = self.connect().await;
        let (topology, mut messages) = (self.topology(), Vec::new());
        let channel = connection.create_channel().await.expect("a channel");
        let (queue, options) = (topology.queue(), BasicConsumeOptions { no_ack: true, ..Default::default() });
        let waiting = async || topology.queue_depth(&connection).await.expect("the queue is there").ready;
        let mut left = waiting().await;
        let consumer = channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default());
        let mut consumer = consumer.await.expect("a consumer");
        while left > 0 {
            for _ in 0..left {
                let next = tokio::time::timeout(DEADLINE, consumer.next()).await.expect("a message is there");
                let delivery = next.expect("the queue is there").expect("the connection holds");
                let body = serde_json::from_slice(&delivery.data).expect("the body is JSON");
                messages.push(Message { properties: delivery.properties, body });
            }
            left = waiting().await;
        }
        messages
    }

    /// The program, set up for this ground.
    pub(crate) fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("AMQP_URL", &self.url).env("SLUICE_PREFIX", &self.prefix).args(args);
        if let Some(posts) = self.max_length {
            command.env("SLUICE_MAX_LENGTH", posts.to_string());
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Output {
        finished(self.program(args)).await
    }

    /// A server on a free port.
    pub(crate) async fn serve(&self) -> Server {
        Server::start(self.program(&["serve", "--listen", "127.0.0.1:0"])).await
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let (topology, args) = (self.topology(), self.args());
        let clean = async move {
            let broker = Broker::new(&args, "test").ok()?;
            let connection = broker.connect().await.ok()?;
            let channel = connection.create_channel().await.ok()?;
            for queue in [topology.queue(), topology.dead_letter_queue()] {
                channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.ok()?;
            }
            for exchange in [topology.exchange(), topology.dead_letter_exchange()] {
                channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await.ok()?;
            }
            connection.close(200, "done".into()).await.ok()
        };
        // On a thread of its own: a test's runtime cannot be waited on from within.
        let cleaned = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(clean)));
        let _ = cleaned.join();
    }
}

/// Runs a program to its end, without blocking the runtime.
pub(crate) async fn finished(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = Running(command.spawn().expect("the program starts"));
    let pid = child.0.id();
    let ended = tokio::task::spawn_blocking(move || child.output());
    match tokio::time::timeout(DEADLINE, ended).await {
        Ok(output) => output.expect("the waiting task does not panic"),
        Err(_) => {
            signal(pid, "KILL");
            panic!("the program did not end within {DEADLINE:?}");
        }
    }
}

/// What the program said on stderr.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it speaks UTF-8")
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(sent.expect("kill is there").success(), "signal {name} could not be sent");
}

/// A process that ends with its test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    fn output(mut self) -> Output {
        let stderr = self.0.stderr.take().map(std::io::read_to_string);
        let stdout = self.0.stdout.take().map(std::io::read_to_string);
        let text = |read: Option<std::io::Result<String>>| read.and_then(Result::ok).unwrap_or_default().into_bytes();
        let status = self.0.wait().expect("it can be waited for");
        Output { status, stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server.
pub(crate) struct Server {
    process: Running,
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    said: Arc<Mutex<String>>,
    pub(crate) client: reqwest::Client,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub(crate) async fn start(mut command: Command) -> Self {
        command.env("SLUICE_LOG_FORMAT", "json").stderr(Stdio::piped());
        let mut process = Running(command.spawn().expect("the program starts"));
        let stderr = process.0.stderr.take().expect("it is piped");
        let (said, (tell, told)) = (Arc::new(Mutex::new(String::new())), tokio::sync::oneshot::channel());
        let (keep, mut tell) = (Arc::clone(&said), Some(tell));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if let (Some(listen), Some(tell)) =
                    (event["listen"].as_str(), tell.take_if(|_| event["listen"].is_string()))
                {
                    let _ = tell.send(format!("http://{listen}"));
                }
                keep.lock().expect("nobody panics with it").push_str(&format!("{line}\n"));
            }
        });
        let url = match tokio::time::timeout(DEADLINE, told).await {
            Ok(Ok(url)) => url,
            _ => panic!("it does not serve: {}", said.lock().expect("nobody panics with it")),
        };
        Self { process, url, said, client: reqwest::Client::new() }
    }

    /// What it logged so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").clone()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits for its end.
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        let mut code = None;
        until("the server ends", async || {
            code = self.process.0.try_wait().expect("it can be waited for");
            code.is_some()
        })
        .await;
        code.and_then(|status| status.code())
    }

    pub(crate) fn post(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).header("content-type", content_type).body(body)
    }

    /// Posts a good post.
    pub(crate) async fn submit(&self, title: &str) -> Reply {
        let body = serde_json::json!({"title": title, "content": "some text"}).to_string();
        Reply::of(self.post("/posts", "application/json", body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.client.get(format!("{}{path}", self.url))).await
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

impl Reply {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let begun = Instant::now();
        let response = request.send().await.expect("the server answers");
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
        let status = response.status().as_u16();
        let text = response.text().await.expect("the answer is complete");
        Self { status, content_type, retry_after, text, took: begun.elapsed() }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The name of a problem, after checking its form.
    pub(crate) fn problem(&self) -> String {
        let problem = self.json();
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        let name = problem["type"].as_str().and_then(|urn| urn.strip_prefix("urn:sluice:problem:"));
        name.expect("the type is one of ours").to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < DEADLINE, "waited {DEADLINE:?} until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A wire to the broker that can be cut and mended.
pub(crate) struct Wire {
    pub(crate) port: u16,
    state: Arc<Mutex<WireState>>,
}

#[derive(Default)]
struct WireState {
    cut: bool,
    refused: u32,
    /// Ends the connections of now.
    hold: CancellationToken,
}

impl Wire {
    pub(crate) async fn to(broker: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        let state = Arc::new(Mutex::new(WireState::default()));
        let wire = Self { port, state: Arc::clone(&state) };
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let hold = {
                    let mut state = state.lock().expect("nobody panics with it");
                    if state.cut {
                        state.refused += 1;
                        continue;
                    }
                    state.hold.clone()
                };
                let broker = broker.clone();
                tokio::spawn(hold.run_until_cancelled_owned(async move {
                    let mut there = TcpStream::connect(broker).await?;
                    tokio::io::copy_bidirectional(&mut here, &mut there).await
                }));
            }
        });
        wire
    }

    fn state(&self) -> std::sync::MutexGuard<'_, WireState> {
        self.state.lock().expect("nobody panics with it")
    }

    pub(crate) fn cut(&self) {
        let mut state = self.state();
        state.cut = true;
        state.hold.cancel();
    }

    pub(crate) fn mend(&self) {
        let mut state = self.state();
        state.cut = false;
        state.hold = CancellationToken::new();
    }

    /// How many connections were refused while it was cut.
    pub(crate) fn refused(&self) -> u32 {
        self.state().refused
    }
}

impl Ground {
    /// The same ground, reached over a wire: its settings for the program.
    pub(crate) fn url_over(&self, wire: &Wire) -> String {
        self.url.replace(&self.at(), &format!("127.0.0.1:{}", wire.port))
    }
}

/// The ids of messages, sorted.
pub(crate) fn ids(messages: &[Message]) -> Vec<String> {
    let mut ids: Vec<_> = messages.iter().map(Message::id).collect();
    ids.sort();
    ids
}

/// The lines of a file of receipts, sorted; each one is an id.
pub(crate) fn receipts(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("the receipts are there");
    let mut ids: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(ids.iter().all(|id| id.parse::<PostId>().is_ok()), "a receipt is an id: {ids:?}");
    ids.sort();
    ids
}

/// A request's body that ends when its sender is dropped.
pub(crate) fn body_in_pieces() -> (mpsc::UnboundedSender<&'static str>, reqwest::Body) {
    let (pieces, coming) = mpsc::unbounded_channel::<&'static str>();
    let coming = futures_util::stream::unfold(coming, async |mut coming| {
        coming.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), coming))
    });
    (pieces, reqwest::Body::wrap_stream(coming))
}
