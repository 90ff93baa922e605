//! People's review, as values: a case, what may be done to it, and what the forum is told.
//!
//! ```text
//!  a held post ──► case ──claim──► decision ──► event ──► the forum
//!                  │  ▲               │
//!                  │  └──── undo ─────┘
//!                  └── withdraw
//! ```
//!
//! [`act`] holds every guard: given a case as it stands, it says what an act makes of it or why it is refused. The
//! database locks the case, asks here, and writes. The model in `ops/lab/tests/moderation` tries all orders.

pub mod act;
mod case;
mod event;

pub use case::{Case, CaseKind, CaseState, Claim, Role};
pub use event::{Cause, Event, EventType};
