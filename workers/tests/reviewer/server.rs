//! A moderation endpoint that behaves as a test wants it to.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The model that the server is.
pub(crate) const MODEL: &str = "test-moderation-1";

/// How it behaves.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// As it should: it flags what holds the word `flagrant`.
    Right,
    /// Right, but only once [`Server::behaves`] says something else.
    Slow,
    /// With this status and body.
    Says(u16, String),
    /// Somewhere else.
    SendsTo(String),
    /// Never.
    Silent,
    /// Without an end.
    Endless,
    /// With half an answer, then it hangs up.
    Half,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

#[derive(Debug)]
struct Shared {
    manner: watch::Sender<Manner>,
    asked: Mutex<Vec<Asked>>,
    /// Requests that are open now, and the most that ever were.
    open: AtomicUsize,
    most: AtomicUsize,
}

/// The server. It ends when it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            manner: watch::Sender::new(manner),
            asked: Mutex::default(),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        Self { shared, addr, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        self.shared.manner.send_replace(manner);
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no test panics in it").clone()
    }

    /// How often it was asked about a post with this in it.
    pub(crate) fn asked_about(&self, words: &str) -> usize {
        self.asked().iter().filter(|asked| asked.body["input"].as_str().is_some_and(|it| it.contains(words))).count()
    }

    /// How many requests are open.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// The most that were open at the same time.
    pub(crate) fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts a request as open for as long as it lives, also where the client hangs up.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: Arc<Shared>) -> Self {
        let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(open, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let _open = Open::new(Arc::clone(&shared));
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole request");
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let asked = Asked { path: parts.uri.path().to_owned(), headers: parts.headers, body: body.clone() };
    shared.asked.lock().expect("no test panics in it").push(asked);
    let manner = shared.manner.borrow().clone();
    match manner {
        Manner::Right => judged(&body),
        Manner::Slow => {
            let mut manners = shared.manner.subscribe();
            manners.wait_for(|manner| !matches!(manner, Manner::Slow)).await.expect("the server lives");
            judged(&body)
        }
        Manner::Says(status, body) => (StatusCode::from_u16(status).expect("a status"), body).into_response(),
        Manner::SendsTo(url) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
        Manner::Silent => std::future::pending().await,
        Manner::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(" ".repeat(1000)));
            Body::from_stream(chunks).into_response()
        }
        Manner::Half => half(),
    }
}

/// What the endpoint says of an input.
fn judged(question: &Value) -> Response {
    let flagged = question["input"].as_str().is_some_and(|input| input.contains("flagrant"));
    let score = if flagged { 0.93 } else { 0.01 };
    Json(json!({"id": "modr-1", "model": MODEL, "results": [{
        "flagged": flagged,
        "categories": {"harassment": flagged, "self-harm": false},
        "category_scores": {"harassment": score, "self-harm": 0.001}
    }]}))
    .into_response()
}

/// The length promises more than comes.
fn half() -> Response {
    let first = futures_util::stream::once(async { Ok::<_, std::io::Error>(r#"{"model": "#.to_owned()) });
    let then = futures_util::stream::once(async { Err(std::io::Error::other("hangs up")) });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, then));
    ([(header::CONTENT_LENGTH, "500")], body).into_response()
}

/// An address where every connection is reset as soon as something was said.
pub(crate) async fn resetting() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = tokio::time::timeout(Duration::from_secs(5), stream.readable()).await;
            let _ = stream.set_zero_linger();
        }
    });
    (url, task)
}

/// An address where nobody listens.
pub(crate) async fn closed() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}
