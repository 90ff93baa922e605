//! RabbitMQ, for all programs.
//!
//! ```text
//!  broker ◄─ topology ◄─ publisher ◄─ delivery
//!                     ◄─ roll_call
//! ```
//!
//! Only [`delivery`] acknowledges, and only [`topology`] spells a queue's name.

pub mod broker;
pub mod delivery;
mod failure;
pub mod publisher;
pub mod roll_call;
pub mod topology;

pub use failure::{amqp_code, classify, is_unroutable_channel_error};
