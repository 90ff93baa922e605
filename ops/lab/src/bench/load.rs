//! The load: clients that keep their connection. As fast as they are answered (closed), or at a given rate whatever the
//! answers do (open).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One connection.
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    address: Arc<str>,
}

impl Client {
    pub(super) async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, address: address.into() })
    }

    async fn all(address: &str, connections: usize) -> anyhow::Result<Vec<Self>> {
        let mut clients = Vec::with_capacity(connections);
        for _ in 0..connections {
            clients.push(Self::connect(address).await?);
        }
        Ok(clients)
    }

    /// Sends a body and reads the answer to its end.
    pub(super) async fn post(&mut self, path: &str, content_type: &str, body: Bytes) -> anyhow::Result<Bytes> {
        self.sender.ready().await?;
        let request = Request::post(path).header(HOST, &*self.address).header(CONTENT_TYPE, content_type);
        let answer = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = answer.status();
        let answer = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{} answered {status}: {}", self.address, String::from_utf8_lossy(&answer));
        Ok(answer)
    }
}

/// What is sent, and where.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) address: String,
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bodies: Arc<Vec<Bytes>>,
}

/// What came of a load, and what was looked at meanwhile.
pub(super) struct Watched<T> {
    /// Answers during the measured time.
    pub(super) answers: u64,
    /// How long that was.
    pub(super) took: Duration,
    /// What was seen right before it, and right after.
    pub(super) seen: (T, T),
}

impl Load {
    /// Single posts.
    pub(super) fn of_posts(address: &str, bodies: Arc<Vec<Bytes>>) -> Self {
        Self { address: address.to_owned(), path: "/posts", content_type: "application/json", bodies }
    }

    /// Each connection sends as soon as it is answered; how many answers in a second, after the warm-up.
    pub(super) async fn closed(&self, connections: usize, warm_up: Duration, time: Duration) -> anyhow::Result<f64> {
        let watched = self.watched(connections, warm_up, time, || Ok(())).await?;
        Ok(watched.answers as f64 / watched.took.as_secs_f64())
    }

    /// The same, with a look at something right before and right after the measured time.
    pub(super) async fn watched<T>(
        &self,
        connections: usize,
        warm_up: Duration,
        time: Duration,
        look: impl Fn() -> anyhow::Result<T>,
    ) -> anyhow::Result<Watched<T>> {
        let (over, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for (number, mut client) in Client::all(&self.address, connections).await?.into_iter().enumerate() {
            let (load, over, answers) = (self.clone(), Arc::clone(&over), Arc::clone(&answers));
            tasks.spawn(async move {
                for body in load.bodies.iter().cycle().skip(number * 17) {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    client.post(load.path, load.content_type, body.clone()).await?;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            });
        }
        tokio::time::sleep(warm_up).await;
        let seen_first = look()?;
        let (before, begun) = (answers.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(time).await;
        let (after, took) = (answers.load(Ordering::Relaxed), begun.elapsed());
        let seen_last = look()?;
        over.store(true, Ordering::Relaxed);
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(Watched { answers: after - before, took, seen: (seen_first, seen_last) })
    }

    /// So many posts a second are due for so long, over so many connections. What is told is each answer's delay in
    /// milliseconds, counted from when its post was due: a server that stalls makes those wait that come meanwhile, and
    /// that is a part of what users see.
    pub(super) async fn open(&self, connections: usize, rate: f64, time: Duration) -> anyhow::Result<Vec<f64>> {
        let posts = (rate * time.as_secs_f64()).ceil() as usize;
        let (next, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now() + Duration::from_millis(20));
        let mut tasks = JoinSet::new();
        for mut client in Client::all(&self.address, connections).await? {
            let (load, next) = (self.clone(), Arc::clone(&next));
            tasks.spawn(async move {
                let mut delays = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= posts {
                        return anyhow::Ok(delays);
                    }
                    let due = begun + Duration::from_secs_f64(number as f64 / rate);
                    let sent = until(due).await;
                    let body = load.bodies[number % load.bodies.len()].clone();
                    client.post(load.path, load.content_type, body).await?;
                    delays.push(sent.elapsed().as_secs_f64() * 1e3);
                }
            });
        }
        let mut delays = Vec::with_capacity(posts);
        while let Some(done) = tasks.join_next().await {
            delays.extend(done??);
        }
        Ok(delays)
    }
}

/// Waits until a request is due, and gives the time from which its delay counts. For one that comes too late, that is
/// when it was due; one that was waited for may be up to a millisecond late by the timer, which is not counted.
pub(super) async fn until(due: Instant) -> Instant {
    if Instant::now() >= due {
        return due;
    }
    tokio::time::sleep_until(due).await;
    Instant::now()
}
