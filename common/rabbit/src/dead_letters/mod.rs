//! Dead letters: browsed without a change, and dropped, edited or replayed one by one.
//!
//! ```text
//!  lock                               one browser at a time
//!  browser                            goes through the queue; what was only read is released in its order
//!  dead_letter ─► summary ─► said     one of them, and its summary
//!  transcript ─► properties, value    one in full, as JSON that can be read back
//! ```

mod browser;
mod dead_letter;
mod error;
mod handful;
mod lock;
mod properties;
mod said;
mod summary;
mod transcript;
mod value;

pub use browser::DeadLetterBrowser;
pub use dead_letter::DeadLetter;
pub use error::BrowseError;
pub use lock::BrowserLock;
pub use properties::Properties;
pub use summary::DeadLetterSummary;
pub use transcript::{Digest, Transcript};
pub use value::Unreadable;
