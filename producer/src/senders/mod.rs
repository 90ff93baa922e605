//! Who may send posts: programs that show a token, each at its own rate. Nothing that one of them does costs another
//! its share.
//!
//! ```text
//!  headers ─► token ─► sender ─► one of its slots ─► its rate ─► the post, with its name
//!             401                429                 429
//! ```

mod admitted;
pub mod command;
mod file;
mod rate;
mod sender;

use std::path::Path;
use std::sync::Arc;

use axum::http::HeaderMap;
use sluice_core::config::ConfigError;
use sluice_runtime::followed::Followed;
use sluice_runtime::health::Problem;
use sluice_runtime::token::{self, TokenHash};

pub use admitted::Admitted;
use sender::Sender;

use crate::memory::Memory;

/// The setting that names the file.
pub const SETTING: &str = "SLUICE_SENDERS";

/// All senders, as the file has them now.
pub struct Senders(Vec<Arc<Sender>>);

impl Senders {
    /// Reads the file, to be read again when it changes. `connections` is how many may be open, `memory` how many bytes
    /// may be in flight: of both, no sender gets more than half.
    ///
    /// # Errors
    /// What is wrong with the file, by name and line.
    pub fn follow(path: &Path, connections: usize, memory: &Memory) -> Result<Followed<Self>, ConfigError> {
        let memory = memory.clone();
        let read = move |path: &Path, before: Option<&Self>| {
            let entries = file::read(path)?;
            if entries.is_empty() {
                tracing::warn!("{SETTING} names no sender; every post is refused with 401");
            }
            let entry = |entry| Arc::new(Sender::new(entry, before, connections, &memory));
            Ok(Self(entries.into_iter().map(entry).collect()))
        };
        Followed::read(path, Box::new(read))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whose request it is, and that it may be worked on now.
    ///
    /// # Errors
    /// 401 without the token of a sender, 429 when this sender has too many requests in progress, or was faster than
    /// its rate.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Admitted, Problem> {
        let sender = token::shown(headers).and_then(|token| self.whose(token)).ok_or_else(admitted::unknown)?;
        Admitted::new(sender)
    }

    /// Whose token this is. All are compared, whichever it is, so that the time says nothing.
    fn whose(&self, token: &str) -> Option<&Arc<Sender>> {
        let token = TokenHash::of(token);
        self.0.iter().fold(None, |found, sender| if sender.has(&token) { Some(sender) } else { found })
    }

    /// The one of this name.
    fn named(&self, name: &str) -> Option<&Sender> {
        self.0.iter().find(|sender| sender.name().as_str() == name).map(|sender| &**sender)
    }
}
