//! Near copies: a post is held when many others say nearly the same, whichever process reviewed them.
//!
//! ```text
//!  handler ─► Copies ─► Window (of this process) ◄── what other processes have met
//!                │                                          ▲
//!                └─ new here ─► Sharing ─► batches ─► RabbitMQ ┘
//! ```
//!
//! Nothing waits for the other processes. Whatever is lost on the way, or comes late, makes a count lower.

mod settings;
mod sharing;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sluice_core::post::Post;
use sluice_core::verdict::Review;
use sluice_review::copies::{Said, Window, held};
use tokio::sync::mpsc;

pub use self::settings::{CopiesArgs, Limit};
pub use self::sharing::Sharing;

/// How many posts the window of a process has room for: 15.5 MB. It also forgets the oldest of more.
const ROOM: usize = 1 << 16;
/// How many posts may wait to be told to other processes.
const UNTOLD_MAX: usize = 4096;

/// What this process knows of near copies.
#[derive(Debug)]
pub struct Copies {
    from: usize,
    window: Mutex<Window>,
    begun: Instant,
    untold: mpsc::Sender<Said>,
}

impl Copies {
    /// An empty window, and what is to be told to other processes; `None` when it is off.
    #[must_use]
    pub fn new(args: &CopiesArgs) -> Option<(Self, Sharing)> {
        let from = args.copies.0?;
        let (untold, waiting) = mpsc::channel(UNTOLD_MAX);
        let window = Mutex::new(Window::new(args.copies_window, ROOM));
        let copies = Self { from, window, begun: Instant::now(), untold };
        copies.report();
        Some((copies, Sharing::new(waiting)))
    }

    /// The review of a post, or that it is held because of the near copies that came before it. The post counts for
    /// later ones.
    #[must_use]
    pub fn reviewed(&self, post: &Post, review: Review) -> Review {
        let Some(said) = Said::by(post.id.as_bytes(), post.author.as_deref(), &post.content) else { return review };
        let (near, new) = self.with(|window, now| window.meet(&said, now));
        if new && self.untold.try_send(said).is_err() {
            shared("dropped", 1);
        }
        let before = review.verdict;
        let review = held(review, &near, self.from);
        if review.verdict != before {
            metrics::counter!("sluice_copies_held_total").increment(1);
        }
        review
    }

    /// Takes in what a process has met, this one among them.
    fn hear(&self, batch: &[Said]) {
        let new = self.with(|window, now| batch.iter().filter(|said| window.add(said, now)).count());
        shared("received", new);
        self.report();
    }

    fn with<T>(&self, act: impl FnOnce(&mut Window, std::time::Duration) -> T) -> T {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        // Inside the lock, so that it never goes back.
        act(&mut window, self.begun.elapsed())
    }

    fn report(&self) {
        let (entries, bytes) = self.with(|window, _| (window.entries(), window.bytes()));
        metrics::gauge!("sluice_copies_entries").set(entries as f64);
        metrics::gauge!("sluice_copies_bytes").set(bytes as f64);
    }
}

/// Counts posts that were told to other processes, or not, or heard from them.
fn shared(result: &'static str, posts: usize) {
    metrics::counter!("sluice_copies_shared_total", "result" => result).increment(posts as u64);
}
