//! Dead letters: browsed without changes, or removed, edited or replayed one by one.
//!
//! ```text
//!  lock      one browser at a time
//!  browser   goes through the queue; what was only read is returned in order
//!  dead_letter ─► summary ─► said    one dead letter, and what is known about it
//!  transcript ─► value         one dead letter in full, as JSON that can be read back
//! ```

mod browser;
mod dead_letter;
mod handful;
mod lock;
mod said;
mod summary;
mod transcript;
mod value;

pub use browser::{BrowseError, DeadLetterBrowser};
pub use dead_letter::DeadLetter;
pub use lock::BrowserLock;
pub use summary::DeadLetterSummary;
pub use transcript::{Digest, Properties, Transcript, Unreadable};
