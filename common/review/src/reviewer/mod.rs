//! The outside reviewer: a service on the network that reads what the rules are uncertain about.
//!
//! A word list cannot judge hate or irony; a model can, but it is slow, costs money and is down at times. So it is
//! asked only where the rules leave doubt, and never trusted to be there:
//!
//! ```text
//!  Review by the rules ── uncertain? ──no──────────────────────────────► as the rules say
//!                             │yes
//!                             ▼
//!        breaker ─► free slot ─► POST {"input","model"} ─► Opinion ────► merged into the Review
//!            │          │                 │
//!            └──────────┴─────────────────┴── ReviewerError ──────────► held, with the error as a reason
//! ```
//!
//! Any failure holds the post for a person and says why: there is no silent approval. The form of the request is that
//! of OpenAI's moderation endpoint, which others copy.
//!
//! What is decided here is pure and stands apart: [`Ask`] (whom to ask about), [`Breaker`] (whether to try at all, its
//! clock an argument), `wire` (what an answer means), [`Policy`] (what follows from it). `client` alone waits.

mod ask;
mod breaker;
mod client;
mod error;
mod key;
mod merge;
mod settings;
mod wire;

pub use ask::Ask;
pub use breaker::{Breaker, Circuit, Pass, Trip};
pub use client::Reviewer;
pub use error::ReviewerError;
pub use key::SecretKey;
pub use merge::Policy;
pub use settings::{ReviewerArgs, Settings};
pub use wire::{Charge, Opinion};
