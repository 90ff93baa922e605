//! A forum of the tests' own. It verifies what it is sent by a computation of its own, applies only higher revisions,
//! and misbehaves as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_lab::testing::Port;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::ground::{OLD_SECRET, SECRET};

/// What it does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Takes it, and says so.
    Take,
    /// Takes it, and cuts the connection without a word.
    TakeAndCut,
    /// Takes it, and says so this much later.
    TakeSlowly(Duration),
    /// Takes nothing, and answers this.
    Refuse(u16),
    /// Takes nothing, and asks to be left alone for so many seconds.
    AskForTime(u64),
}

type Plan = Box<dyn FnMut(usize) -> Does + Send>;

struct State {
    /// All events that came, with what was done.
    seen: Vec<(Value, Does)>,
    /// What stands, by post: revision and verdict.
    applied: HashMap<String, (u64, String)>,
    plan: Plan,
}

/// A forum that listens.
pub(crate) struct Forum {
    port: Port,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Forum {
    /// One that does with its n-th event, from 0, what the plan says.
    pub(crate) async fn new(plan: impl FnMut(usize) -> Does + Send + 'static) -> Self {
        let (seen, applied, plan) = (Vec::new(), HashMap::new(), Box::new(plan));
        let state = Arc::new(Mutex::new(State { seen, applied, plan }));
        let port = Port::hold();
        let listener = TcpListener::bind(port.addr()).await.expect("a port of our own");
        let task = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { port, state, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/sluice?of=us", self.port.addr())
    }

    /// Does this from now on.
    pub(crate) fn plan(&self, plan: impl FnMut(usize) -> Does + Send + 'static) {
        self.state().plan = Box::new(plan);
    }

    /// Listens no more.
    pub(crate) fn goes_down(&self) {
        self.task.abort();
    }

    /// Listens again.
    pub(crate) async fn comes_back(&mut self) {
        let listener = TcpListener::bind(self.port.addr()).await.expect("a port of our own");
        self.task = tokio::spawn(serve(listener, Arc::clone(&self.state)));
    }

    /// All events that came, as post and revision, in order.
    pub(crate) fn seen(&self) -> Vec<(String, u64)> {
        let of = |(event, _): &(Value, Does)| (text(event, "post"), event["revision"].as_u64().expect("a number"));
        self.state().seen.iter().map(of).collect()
    }

    /// What it has taken: post, revision and verdict that stand.
    pub(crate) fn applied(&self) -> HashMap<String, (u64, String)> {
        self.state().applied.clone()
    }

    /// Of one post, the revisions as they came.
    pub(crate) fn revisions(&self, post: &str) -> Vec<u64> {
        self.seen().into_iter().filter(|(of, _)| of == post).map(|(_, revision)| revision).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Forum {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn text(event: &Value, key: &str) -> String {
    event[key].as_str().unwrap_or_else(|| panic!("{key} in {event}")).to_owned()
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        tokio::spawn(one(stream, Arc::clone(&state)));
    }
}

/// One request a connection.
async fn one(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let Ok(read @ 1..) = stream.read(&mut piece).await else { return };
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len() >= header(head, "content-length").parse::<usize>().expect("a length") {
            break (head.to_owned(), body.to_owned());
        }
    };
    assert!(head.starts_with("POST /hooks/sluice?of=us HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "content-type"), "application/json");
    verify(&head, &body);
    let event: Value = serde_json::from_str(&body).expect("an event is JSON");
    assert_eq!(header(&head, "webhook-id"), text(&event, "id"));
    let does = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.seen.len();
        let does = (state.plan)(number);
        state.seen.push((event.clone(), does));
        if !matches!(does, Does::Refuse(_) | Does::AskForTime(_)) {
            let revision = event["revision"].as_u64().expect("a number");
            let there = state.applied.get(&text(&event, "post")).map_or(-1, |(there, _)| i128::from(*there));
            if i128::from(revision) > there {
                state.applied.insert(text(&event, "post"), (revision, text(&event, "verdict")));
            }
        }
        does
    };
    let mut more = String::new();
    let status = match does {
        Does::TakeAndCut => return,
        Does::TakeSlowly(wait) => {
            tokio::time::sleep(wait).await;
            204
        }
        Does::Take => 200,
        Does::Refuse(status) => status,
        Does::AskForTime(seconds) => {
            more = format!("retry-after: {seconds}\r\n");
            503
        }
    };
    // Wherever a redirect leads, nobody goes there.
    let answer = format!("HTTP/1.1 {status} X\r\nlocation: /\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn header(head: &str, name: &str) -> String {
    let line =
        head.lines().find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).1.to_owned()
}

/// Verifies both signatures, by hand.
fn verify(head: &str, body: &str) {
    let (id, timestamp) = (header(head, "webhook-id"), header(head, "webhook-timestamp"));
    let age = time::OffsetDateTime::now_utc().unix_timestamp() - timestamp.parse::<i64>().expect("seconds");
    assert!((-5..60).contains(&age), "it was signed {age} s ago");
    let message = format!("{id}.{timestamp}.{body}");
    let expected: Vec<String> = [SECRET, OLD_SECRET]
        .map(|secret| STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64"))
        .iter()
        .map(|secret| format!("v1,{}", STANDARD.encode(hmac(secret, message.as_bytes()))))
        .collect();
    let given = header(head, "webhook-signature");
    assert_eq!(given.split(' ').collect::<Vec<_>>(), expected);
}

/// RFC 2104, for keys of up to 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}
