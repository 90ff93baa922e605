//! The load: posts by HTTP and by file at the same time, and the book of what was sent and what was accepted.

mod file;
mod http;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_core::post::PostId;
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;

/// Of ten posts, so many go by HTTP.
const BY_HTTP: usize = 6;
/// One post in so many is held by the built-in rules.
const HELD: usize = 8;
/// The load is spread over at least this time.
const SHORTEST: Duration = Duration::from_secs(5);
const WORDS: [&str; 16] = [
    "garden",
    "bridge",
    "Lampe",
    "猫",
    "über",
    "choir",
    "recipe",
    "🎈",
    "tomorrow",
    "книга",
    "river",
    "ladder",
    "天气",
    "winter",
    "bicycle",
    "naïve",
];

/// A post that is to be sent. No two of a run have the same title, so a second row betrays itself by it even under
/// another id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) id: PostId,
    pub(crate) title: String,
    pub(crate) content: String,
    /// Sent with this `Idempotency-Key` in place of the id.
    pub(crate) key: Option<String>,
    /// The table may refuse it.
    pub(crate) sour: bool,
}

/// How a run's posts are made.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) run: String,
    pub(crate) seed: u64,
    pub(crate) one_sour_in: Option<usize>,
    pub(crate) text: usize,
}

impl Recipe {
    /// The post with this number.
    fn draft(&self, source: &str, number: usize) -> Draft {
        let mut rng = fastrand::Rng::with_seed(self.seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let sour = self.one_sour_in.is_some_and(|many| rng.usize(..many) == 0);
        let taste = if sour { "sour" } else { "sweet" };
        let title = format!("{taste} {source} {number} of {}", self.run);
        // A key has no spaces.
        let key = (source == "http" && rng.usize(..4) == 0).then(|| title.replace(' ', "-"));
        let length = self.text / 2 + rng.usize(..self.text);
        let mut content = String::new();
        while content.len() < length {
            content.push_str(WORDS[rng.usize(..WORDS.len())]);
            content.push(if rng.usize(..12) == 0 { '\n' } else { ' ' });
        }
        content.push('.');
        if number.is_multiple_of(HELD) {
            content.push_str(" you are an idiot");
        }
        let id = key.as_deref().map_or_else(PostId::new, PostId::from_key);
        Draft { id, title, content, key, sour }
    }
}

/// A post that was sent at least once.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) draft: Draft,
    /// Some try had a 202, or there is a receipt. Otherwise it is in doubt: it may have been taken or not.
    pub(crate) accepted: bool,
}

/// What the front door answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Accepted,
    /// 503.
    Refused,
    /// The connection was refused or broke.
    Nothing,
    /// No answer for as long as a client waits.
    Silence,
    /// What it should never say to a valid post.
    Wrong(u16),
}

/// One try of a sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) word: Word,
    /// When it came, in microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) took: Duration,
}

#[derive(Debug, Default)]
struct Pages {
    sent: HashMap<PostId, Sent>,
    answers: Vec<Answer>,
}

/// What was sent and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is about to be sent.
    fn sending(&self, draft: &Draft) {
        self.pages().sent.entry(draft.id).or_insert_with(|| Sent { draft: draft.clone(), accepted: false });
    }

    /// It was accepted.
    fn accepted(&self, id: PostId) {
        self.pages().sent.get_mut(&id).expect("it was sent").accepted = true;
    }

    fn answered(&self, answer: Answer) {
        self.pages().answers.push(answer);
    }

    /// All that was sent.
    pub(crate) fn sent(&self) -> HashMap<PostId, Sent> {
        self.pages().sent.clone()
    }

    /// All answers of the front door.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.pages().answers.clone()
    }
}

/// Sends `posts` posts, spread over `window`, and by HTTP on at the same pace until `enough`.
pub(crate) async fn send(
    stage: &Stage<'_>,
    book: &Book,
    recipe: &Recipe,
    posts: usize,
    window: Duration,
    enough: &CancellationToken,
) {
    let window = window.max(SHORTEST);
    let by_http = posts * BY_HTTP / 10;
    let by_file = (by_http..posts).map(|number| recipe.draft("file", number)).collect();
    let url = stage.url();
    tokio::join!(http::send(&url, book, recipe, by_http, window, enough), file::send(stage, book, by_file, window));
}
