//! Dead letters: browsed without a change, and taken out of their queue, changed or put back to work one by one.
//!
//! ```text
//!  lock      one browser at a time, whoever asks
//!  browser   goes through the queue; what was only read is released in its order
//!  dead_letter ─► summary ─► said    one of them, and what is known of it
//!  transcript ─► value         one in full, as JSON that can be read back
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
