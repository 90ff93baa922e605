//! Senders over HTTP, as careful clients are: each try of a post has the same id or the same `Idempotency-Key`, and
//! only a 202 ends the trying. A few are impatient and give up at their first trouble: their posts are in doubt.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use sluice_core::post::PostId;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Answer, Book, Draft, Recipe, Word};
use crate::stage::now;

/// Senders at the same time.
const SENDERS: usize = 24;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client tries in all.
const TRIES: Duration = Duration::from_secs(120);
/// As `Retry-After` asks.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// One of so many senders gives up at its first trouble.
const IMPATIENT: usize = 20;

#[derive(Deserialize)]
struct Taken {
    id: PostId,
}

/// Sends `posts` posts, spread over `window`, then on at the same pace until `enough`.
pub(super) async fn send(
    url: &str,
    book: &Book,
    recipe: &Recipe,
    posts: usize,
    window: Duration,
    enough: &CancellationToken,
) {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let apart = window.div_f64(posts.max(1) as f64);
    let sender = async || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            sleep_until(begun + apart.mul_f64(number as f64)).await;
            if number >= posts && enough.is_cancelled() {
                return;
            }
            // Numbers below are the file's.
            let number = if number < posts { number } else { number + 1_000_000 };
            deliver(&client, url, book, &recipe.draft("http", number)).await;
        }
    };
    futures_util::future::join_all((0..SENDERS).map(|_| sender())).await;
}

/// Tries until it is accepted.
async fn deliver(client: &reqwest::Client, url: &str, book: &Book, draft: &Draft) {
    book.sending(draft);
    let impatient = fastrand::usize(..IMPATIENT) == 0;
    let begun = Instant::now();
    loop {
        let asked = Instant::now();
        let word = attempt(client, url, draft).await;
        book.answered(Answer { word, at: now(), took: asked.elapsed() });
        match word {
            Word::Accepted => return book.accepted(draft.id),
            // More of the same would bring the same.
            Word::Wrong(_) => return,
            _ if impatient || begun.elapsed() > TRIES => return,
            Word::Refused => sleep(RETRY_AFTER + Duration::from_millis(fastrand::u64(..300))).await,
            _ => sleep(Duration::from_millis(fastrand::u64(100..500))).await,
        }
    }
}

async fn attempt(client: &reqwest::Client, url: &str, draft: &Draft) -> Word {
    let Draft { id, title, content, key, .. } = draft;
    let request = client.post(format!("{url}/posts"));
    let request = match key {
        Some(key) => request.header("Idempotency-Key", key).json(&json!({"title": title, "content": content})),
        None => request.json(&json!({"id": id.to_string(), "title": title, "content": content})),
    };
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => return Word::Silence,
        Err(_) => return Word::Nothing,
    };
    match answer.status().as_u16() {
        202 => match answer.json::<Taken>().await {
            Ok(taken) if taken.id == *id => Word::Accepted,
            Ok(_) => Word::Wrong(202),
            // The answer broke off.
            Err(_) => Word::Nothing,
        },
        503 => Word::Refused,
        other => Word::Wrong(other),
    }
}
