//! Authors: those whom nobody knows are read more strictly.
//!
//! ```text
//!  handler ─► Authors ─┬─ new to this process ─► Noting ─► table `authors`: first seen
//!                      └─ nearly held? ─► how the author stands, by the table and by people's decisions ─► held, or not
//! ```
//!
//! Only a post that is nearly held costs a question, and each author one statement in a while. An author that cannot be
//! asked about is one whom nobody knows.

mod noting;
mod settings;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sluice_core::name::SenderName;
use sluice_core::post::Post;
use sluice_core::standing::Standing;
use sluice_core::verdict::Review;
use sluice_mysql::{Author, Store};
use sluice_review::strangers::{held, nearly_held};
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use self::noting::Noting;
pub use self::settings::{Share, StrangersArgs};

/// How many authors a process knows: those that it has noted, and those that it asked about. Then it begins anew.
const KNOWN_MAX: usize = 1 << 14;
/// How many authors may wait to be noted.
const WAITING_MAX: usize = 4096;
/// How long an answer holds: other processes and people's decisions are heard of within this time.
const FRESH: Duration = Duration::from_secs(10);
/// How often it is logged that authors cannot be asked about.
const REMIND: Duration = Duration::from_secs(60);

/// What this process knows of authors.
pub struct Authors {
    percent: u32,
    new: Duration,
    store: Arc<Store>,
    known: Mutex<Known>,
    waiting: mpsc::Sender<Author>,
}

#[derive(Default)]
struct Known {
    /// Those that are noted, or about to be.
    noted: HashSet<Author>,
    /// What was answered, and when.
    asked: HashMap<Author, (Standing, Instant)>,
    /// When a failure was last logged.
    failed: Option<Instant>,
}

impl Authors {
    /// Nobody is known, and what notes authors; `None` when all are read alike.
    #[must_use]
    pub fn new(args: &StrangersArgs, store: &Arc<Store>) -> Option<(Arc<Self>, Noting)> {
        let percent = args.strangers.0?;
        let (waiting, authors) = mpsc::channel(WAITING_MAX);
        let noting = Noting::new(authors, Arc::clone(store));
        let (new, store) = (args.strangers_new, Arc::clone(store));
        Some((Arc::new(Self { percent, new, store, known: Mutex::default(), waiting }), noting))
    }

    /// The review of a post, or that it is held because a stranger wrote it. The author is known from now on.
    pub async fn reviewed(&self, post: &Post, sender: Option<&SenderName>, review: Review) -> Review {
        let author = Author::of(post, sender);
        let before = author.as_ref().filter(|_| nearly_held(&review, self.percent));
        // Before the author is noted: whoever writes for the first time was not seen before.
        let standing = match before {
            Some(author) => Some(self.standing(author).await),
            None => None,
        };
        author.into_iter().for_each(|author| self.meet(author));
        if standing.is_some_and(|standing| !standing.is_stranger(self.new)) {
            return review;
        }
        let before = review.verdict;
        let review = held(review, self.percent, standing.as_ref());
        if review.verdict != before {
            metrics::counter!("sluice_strangers_held_total").increment(1);
        }
        review
    }

    /// How an author stands.
    async fn standing(&self, author: &Author) -> Standing {
        let fresh = self.known(|known| known.asked.get(author).copied()).filter(|(_, asked)| asked.elapsed() < FRESH);
        if let Some((standing, _)) = fresh {
            return standing;
        }
        match self.store.standing_of(author).await {
            Ok(standing) => {
                self.known(|known| {
                    if known.asked.len() >= KNOWN_MAX {
                        known.asked.clear();
                    }
                    known.asked.insert(author.clone(), (standing, Instant::now()));
                });
                standing
            }
            Err(failure) => {
                let failure = self.store.with_context(failure);
                if self.known(|known| due(&mut known.failed)) {
                    tracing::warn!(error = %failure, "authors cannot be asked about: all are read as strangers");
                }
                Standing::default()
            }
        }
    }

    /// Notes an author whom this process has not met. Where too many wait, the next post does.
    fn meet(&self, author: Author) {
        self.known(|known| {
            if known.noted.contains(&author) {
                return;
            }
            if known.noted.len() >= KNOWN_MAX {
                known.noted.clear();
            }
            if self.waiting.try_send(author.clone()).is_ok() {
                known.noted.insert(author);
            }
        });
    }

    /// These were not noted after all.
    fn missed(&self, authors: &[Author]) {
        self.known(|known| known.noted.retain(|author| !authors.contains(author)));
    }

    fn known<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        // Nothing in here can panic halfway.
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a line may be logged again, which it then is.
fn due(last: &mut Option<Instant>) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= REMIND);
    if due {
        *last = Some(Instant::now());
    }
    due
}
