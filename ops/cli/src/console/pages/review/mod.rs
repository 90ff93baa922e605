//! The moderators' pages: what waits, one case on one screen, and what can be done with it.
//!
//! ```text
//!  queues ──► next ──► case ──► acts: decide, skip, escalate, note, undo ──► next
//!   └─ lists ──────────────┘     ├─ somebody else was first ──► conflict ──► next
//!                                └─ bulk: the same text ──► act ──► undo
//! ```
//!
//! A claim is made with a token that the form brings, and a decision with an id that it brings: a form that is sent
//! twice is answered alike, and two windows do not share a claim by chance.

mod acts;
mod asked;
mod bulk;
mod case;
mod comfort;
mod conflict;
mod lists;
mod measures;
mod next;
mod queues;

pub(super) use acts::{claim, decide, escalate, extend, note, release, skip, undo};
pub(super) use bulk::{act, decide as decide_same, preview as same, undo as undo_act};
pub(super) use case::show as case;
pub(super) use comfort::{pause, save as save_comfort, show as comfort};
pub(super) use lists::{appeals, cases, decided};
pub(super) use measures::show as measures;
pub(super) use next::next;
pub(super) use queues::show as queues;
