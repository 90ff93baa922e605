//! Many senders at once, as a front door meets them: each sends a post until it is accepted, always as the same post,
//! and writes down every answer with the time it took.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use sluice_core::post::PostId;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Reply, Server, until};

/// How long a sender waits after a refusal. Less than it is told to: an outage shall meet many.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it waits after an accepted post: the machine has other things to do, too.
const BREATH: Duration = Duration::from_millis(5);
/// When a sender counts an answer as one that never comes.
const NEVER: Duration = Duration::from_secs(20);

/// One answer; `status` 0: there was none.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The post, as its sender knows it.
    pub(crate) post: String,
    /// The post's id, as the answer says it.
    pub(crate) id: Option<String>,
    pub(crate) status: u16,
    /// The problem's name; empty for an accepted post.
    pub(crate) problem: String,
    pub(crate) asked: Instant,
    pub(crate) took: Duration,
}

/// Senders at work.
pub(crate) struct Storm {
    desk: Desk,
    senders: Vec<JoinHandle<()>>,
}

/// What senders share.
#[derive(Clone, Default)]
struct Desk {
    client: reqwest::Client,
    url: String,
    book: Arc<Mutex<Vec<Answer>>>,
    /// Requests that have no answer yet.
    open: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Storm {
    /// So many senders. Every second post has an id of its own, the others have a key that stands for one.
    pub(crate) fn begin(server: &Server, senders: usize) -> Self {
        let client = reqwest::Client::builder().timeout(NEVER).build().expect("a client");
        let desk = Desk { client, url: format!("{}/posts", server.url), ..Desk::default() };
        let senders = (0..senders).map(|_| tokio::spawn(send(desk.clone()))).collect();
        Self { desk, senders }
    }

    /// All answers so far.
    pub(crate) fn book(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.desk.book.lock().expect("nobody panics with it")
    }

    /// All answers, also those that are still to come.
    pub(crate) fn answers(&self) -> Arc<Mutex<Vec<Answer>>> {
        Arc::clone(&self.desk.book)
    }

    /// Waits until every sender has a request under way, and none is answered any more.
    pub(crate) async fn hangs(&self) {
        until("every request hangs", async || {
            let last = self.book().iter().map(|answer| answer.asked + answer.took).max();
            let all = self.desk.open.load(Ordering::SeqCst) == self.senders.len();
            all && last.is_some_and(|last| last.elapsed() > Duration::from_millis(300))
        })
        .await;
    }

    /// How many posts were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.book().iter().filter(|answer| answer.status == 202).count()
    }

    /// Waits until so many more posts were accepted.
    pub(crate) async fn accepts(&self, more: usize) {
        let before = self.accepted();
        until("posts are accepted", async || self.accepted() >= before + more).await;
    }

    /// The answers that came after this moment, whenever they were asked for.
    pub(crate) fn since(&self, moment: Instant) -> Vec<Answer> {
        self.book().iter().filter(|answer| answer.asked + answer.took >= moment).cloned().collect()
    }

    /// The problems of the answers that came after this moment, each with how often; accepted posts have an empty one.
    pub(crate) fn heard_since(&self, moment: Instant) -> BTreeMap<String, usize> {
        let mut heard = BTreeMap::new();
        self.since(moment).into_iter().for_each(|answer| *heard.entry(answer.problem).or_default() += 1);
        heard
    }

    /// How long it took from this moment until a post was accepted that was sent after it.
    pub(crate) async fn accepts_after(&self, moment: Instant) -> Duration {
        let accepted = || {
            let book = self.book();
            let sent_since = book.iter().filter(|answer| answer.status == 202 && answer.asked >= moment);
            sent_since.map(|answer| answer.asked + answer.took - moment).min()
        };
        until("posts are accepted again", async || accepted().is_some()).await;
        accepted().expect("it was there a moment ago")
    }

    /// Ends it. Gives the ids of all accepted posts, after checking what must hold for every answer.
    pub(crate) async fn end(self) -> HashSet<String> {
        self.desk.stop.cancel();
        for sender in self.senders {
            sender.await.expect("a sender that met only answers in good form");
        }
        let book = self.desk.book.lock().expect("nobody panics with it");
        let mut named = std::collections::HashMap::new();
        for answer in book.iter() {
            let Some(id) = answer.id.as_ref() else { continue };
            let first = named.entry(&answer.post).or_insert(id);
            assert_eq!(*first, id, "two tries of one post got two ids");
        }
        book.iter().filter(|answer| answer.status == 202).filter_map(|answer| answer.id.clone()).collect()
    }
}

/// The longest of these answers.
pub(crate) fn slowest(answers: &[Answer]) -> Duration {
    answers.iter().map(|answer| answer.took).max().unwrap_or_default()
}

/// Sends posts, one after the other, each until it is accepted.
async fn send(desk: Desk) {
    for number in 0.. {
        let post = PostId::new().to_string();
        let mut body = serde_json::json!({"title": "in a storm", "content": "some text"});
        if number % 2 == 0 {
            body["id"] = post.as_str().into();
        }
        loop {
            let request = desk.client.post(&desk.url).header("content-type", "application/json").body(body.to_string());
            let request = if number % 2 == 0 { request } else { request.header("idempotency-key", &post) };
            desk.open.fetch_add(1, Ordering::SeqCst);
            let answer = ask(request, &post).await;
            desk.open.fetch_sub(1, Ordering::SeqCst);
            let status = answer.status;
            desk.book.lock().expect("nobody panics with it").push(answer);
            if desk.stop.is_cancelled() {
                return;
            }
            if status == 202 {
                tokio::time::sleep(BREATH).await;
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn ask(request: reqwest::RequestBuilder, post: &str) -> Answer {
    let asked = Instant::now();
    let mut answer =
        Answer { post: post.to_owned(), id: None, status: 0, problem: String::new(), asked, took: Duration::ZERO };
    if let Some(reply) = Reply::try_of(request).await {
        answer.status = reply.status;
        match reply.status {
            202 => answer.id = Some(reply.id()),
            503 => {
                assert_eq!(reply.retry_after.as_deref(), Some("1"), "{}", reply.text);
                answer.problem = reply.problem();
                answer.id = reply.json()["id"].as_str().map(str::to_owned);
            }
            other => panic!("{other}: {}", reply.text),
        }
    }
    answer.took = asked.elapsed();
    answer
}
