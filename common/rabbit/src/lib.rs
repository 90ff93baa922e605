//! RabbitMQ, for all programs.
//!
//! ```text
//!  broker ◄─ topology ◄─ publisher ◄─ delivery ◄─ dead_letters
//!                     ◄─ worker_status, near_copies
//! ```
//!
//! Only [`delivery`] acknowledges posts, and only [`dead_letters`] acknowledges dead letters. Only [`topology`]
//! contains names of queues.

pub mod broker;
pub mod dead_letters;
pub mod delivery;
mod failure;
mod fan_out;
mod headers;
pub mod near_copies;
pub mod publisher;
pub mod topology;
pub mod worker_status;

pub use failure::{amqp_code, classify, is_unroutable_channel_error};
