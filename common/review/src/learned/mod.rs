//! A scorer of a site's own: what people decided about its posts, as weights of n-grams, to hold what looks like what
//! they rejected.
//!
//! ```text
//!  decisions ──► lessons ─┬─ near copies together ─► five folds ─► the sum from which it holds, and what to expect
//!                         └─ all ─────────────────► weights ─────────────────────┴──► a file
//!  a post, reviewed by the rules ──► + scorer ──► approved may become held; nothing else changes
//! ```
//!
//! It knows nothing but what it was taught: of another site's spam it finds next to none. As long as its own folds do not
//! show that it is good enough, it runs in shadow.

mod about;
mod buckets;
mod features;
mod file;
mod finding;
mod folds;
mod gauge;
mod lesson;
mod listed;
mod model;
mod near;
mod scorer;
pub(crate) mod suspected;
mod train;

pub use self::about::About;
pub use self::file::ScorerError;
pub use self::lesson::{Lesson, Lessons};
pub use self::scorer::{Points, Scorer};
pub use self::suspected::{Draft, drafted};
