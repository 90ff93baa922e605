//! The worker: takes posts from the queue, reviews them, stores them, and settles their deliveries.
//!
//! ```text
//!  consumer ─► handler ─► rules ─► outside reviewer ─► copies ─► recorder ─► MySQL
//!     ▲           │ decide                                 │
//!     │           ▼                                        │
//!     └─────── settle ◄────────────────────────────────────┘        gate: closed while MySQL accepts no posts
//!
//!  recorder ─► writer ─► MySQL      a group with a row at fault: recorder ─► suspects ─► writer
//! ```

pub mod activity;
pub mod authors;
pub mod case_opener;
pub mod cli;
pub mod consumer;
mod consumer_stream;
pub mod copies;
pub mod gate;
pub mod group;
pub mod handler;
pub mod health;
pub mod in_flight;
pub mod large;
pub mod recorder;
pub mod rules;
pub mod run;
pub mod settled;
pub mod supervisor;
pub mod suspects;
pub mod worker_status;
pub mod writer;
