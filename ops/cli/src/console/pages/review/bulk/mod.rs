//! One decision for each of the waiting posts with the same text, and the way back.
//!
//! ```text
//!  a case ──► preview: which wait now, counts and samples ──► decide: exactly those ──► act ──► undo
//! ```

mod act;
mod decide;
mod preview;
mod shown;
mod undo;

pub(crate) use act::show as act;
pub(crate) use decide::decide;
pub(crate) use preview::show as preview;
pub(crate) use undo::undo;
