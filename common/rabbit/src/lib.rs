//! RabbitMQ, for all programs.
//!
//! ```text
//!  broker ◄─ topology ◄─ publisher ◄─ delivery
//!                     ◄─ worker_status
//! ```
//!
//! Only [`delivery`] acknowledges, and only [`topology`] spells a queue's name.

pub mod broker;
pub mod delivery;
mod failure;
pub mod publisher;
pub mod topology;
pub mod worker_status;

pub use failure::{amqp_code, classify, is_unroutable_channel_error};
