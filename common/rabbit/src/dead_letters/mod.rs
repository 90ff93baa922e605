//! Dead letters: browsed without a change, and taken out of their queue, changed or put back to work one by one.
//!
//! ```text
//!  lock      one browser at a time, whoever asks
//!  browser   goes through the queue; what was only read is released in its order
//!  dead_letter ─► said         what is known of one, and what its headers say of themselves
//!  transcript ─► value         one in full, as JSON that can be read back
//! ```

mod browser;
mod dead_letter;
mod handful;
mod lock;
mod said;
mod transcript;
mod value;

pub use browser::{BrowseError, DeadLetterBrowser};
pub use dead_letter::{DeadLetter, DeadLetterSummary};
pub use lock::BrowserLock;
pub use transcript::{Properties, Transcript, Unreadable};
