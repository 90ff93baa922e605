//! What these tests share: a prefix of their own on a real broker, the program, and its answers.
//!
//! [`sluice_lab::testing::Ground`] comes with a database; the producer knows none, so its tests need none.

mod server;

use std::path::Path;

use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection};
use sluice_core::config::BrokerArgs;
use sluice_core::post::PostId;
use sluice_lab::testing::{DEADLINE, Program, Proxy, eventually};
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::topology::Topology;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

pub(crate) use server::{Reply, Server};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sluice-producer");

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

/// A program that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
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
            .expect("SLUICE_TEST_AMQP_URL is not set: run ops/test, or: sluice-lab stack run -- cargo test");
        Self::made(url, max_length)
    }

    /// The same, on this broker.
    pub(crate) fn on(url: String) -> Self {
        Self::made(url, None)
    }

    fn made(url: String, max_length: Option<u32>) -> Self {
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

    /// A proxy before the broker, and the broker's address over it.
    pub(crate) fn proxied(&self) -> (Proxy, String) {
        let at = self.at().parse().expect("a test server has a numeric address");
        let proxy = Proxy::start(at).expect("a free port");
        let url = self.url.replace(&self.at(), &proxy.addr().to_string());
        (proxy, url)
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

    /// What the program needs to work here.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("AMQP_URL", self.url.clone()), ("SLUICE_PREFIX", self.prefix.clone())];
        variables.extend(self.max_length.map(|posts| ("SLUICE_MAX_LENGTH", posts.to_string())));
        variables
    }

    /// Starts the program, with these variables on top.
    pub(crate) fn start(&self, args: &[&str], variables: &[(&'static str, &str)]) -> Program {
        let mut environment = self.environment();
        environment.extend(variables.iter().map(|(variable, value)| (*variable, (*value).to_owned())));
        Program::start(PROGRAM, args, &environment)
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, args: &[&str], variables: &[(&'static str, &str)]) -> Ended {
        ended(self.start(args, variables)).await
    }

    /// A server on a free port.
    pub(crate) async fn serve(&self) -> Server {
        self.serve_with(&[], &[]).await
    }

    /// A server on a free port that takes posts, with these arguments and variables on top.
    pub(crate) async fn serve_with(&self, args: &[&str], variables: &[(&'static str, &str)]) -> Server {
        let args = [&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"], args].concat();
        Server::accepting(self.start(&args, variables)).await
    }

    /// A server on a free port that has no broker yet at this address.
    pub(crate) async fn serve_without(&self, amqp_url: &str) -> Server {
        let args = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
        Server::ready(self.start(&args, &[("AMQP_URL", amqp_url)])).await
    }
}

impl Drop for Ground {
    /// On a thread of its own: the test's runtime cannot be waited on from within.
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
            close(&connection).await;
            Some(())
        };
        let clean = async { tokio::time::timeout(DEADLINE, clean).await };
        let cleaned = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(clean)));
        let _ = cleaned.join();
    }
}

/// Waits for the end of a program.
pub(crate) async fn ended(mut program: Program) -> Ended {
    let code = program.ended().await.code();
    Ended { code, said: program.said() }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    eventually(what, async || if so().await { Ok(()) } else { Err("not yet") }).await;
}

/// Waits until this file has so many lines.
pub(crate) async fn until_lines(file: &Path, lines: usize) {
    eventually("receipts", async || match std::fs::read_to_string(file).map(|text| text.lines().count()) {
        Ok(there) if there >= lines => Ok(()),
        found => Err(found),
    })
    .await;
}

/// The ids of messages, sorted.
pub(crate) fn ids(messages: &[Message]) -> Vec<String> {
    let mut ids: Vec<_> = messages.iter().map(Message::id).collect();
    ids.sort();
    ids
}

/// The lines of a file of receipts; each one is an id.
pub(crate) fn in_order(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("the receipts are there");
    // The last line may still be under way.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let ids: Vec<_> = whole.lines().map(str::to_owned).collect();
    assert!(ids.iter().all(|id| id.parse::<PostId>().is_ok()), "a receipt is an id: {ids:?}");
    ids
}

/// The lines of a file of receipts, sorted.
pub(crate) fn receipts(path: &Path) -> Vec<String> {
    let mut ids = in_order(path);
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

/// A text, compressed.
pub(crate) async fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = async_compression::tokio::write::GzipEncoder::new(Vec::new());
    encoder.write_all(text.as_bytes()).await.expect("into memory");
    encoder.shutdown().await.expect("into memory");
    encoder.into_inner()
}
