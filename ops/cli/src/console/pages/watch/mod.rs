//! What all viewers see together: taken again and again while somebody looks, once for all of them, and not at all
//! while nobody does.
//!
//! ```text
//!  viewers ──► watched: the latest one, with its age ◄── a task that takes the next ─┐ ends when nobody has looked
//!                 └─ nobody takes it any more? start ─────────────────────────────────┘ for a while
//! ```

mod lines;
mod now;
mod queues;
mod searches;
mod snapshot;
mod watched;

pub(crate) use lines::Entry;
pub(crate) use now::{Moment, NowSource, Point};
pub(crate) use queues::QueuesSource;
pub(crate) use searches::Searches;
pub(crate) use snapshot::{DeadLetterSet, Snapshot, SnapshotSource};
pub(crate) use watched::Watched;
