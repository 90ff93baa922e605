//! People's review, as values: a case, what may be done to it, and what the forum is told.
//!
//! ```text
//!  a held post ──► case ──claim──► decision ──► event ──► the forum
//!                  │  ▲               │
//!                  │  └──── undo ─────┘
//!                  └── withdraw
//! ```
//!
//! A part of the decisions, a [`Share`], is reviewed a second time by somebody who does not see them: `second` says what
//! follows from their opinion, and [`Agreement`] how often two people say the same. [`Precision`] is how often people
//! say the same as a rule.
//!
//! [`act`] holds every other guard: given a case as it stands, it says what an act makes of it or why it is refused. The
//! database locks the case, asks here, and writes. The model in `ops/lab/tests/moderation` tries all orders.

pub mod act;
mod agreement;
mod case;
mod event;
mod precision;
mod second;
mod share;

pub use agreement::Agreement;
pub use case::{Case, CaseKind, CaseState, Claim, Role};
pub use event::{Cause, Event, EventType};
pub use precision::{Precision, RejectedShare};
pub use share::Share;
