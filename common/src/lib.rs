//! What the three programs of Sluice share.
//!
//! ```text
//!  post, verdict ◄─ failure ◄─ disposition ◄─ dead_letter     pure: no async, no I/O, no clock, no randomness
//!  retry, json                                                 but as arguments
//!  broker ◄─ topology ◄─ publisher ◄─ delivery                 RabbitMQ: lapin is named here and in `failure`
//!                   ◄─ roll_call
//!  store                                                       MySQL: mysql_async is named here and in `failure`
//!  review ◄─ reviewer                                          a post's verdict, by rules and by an outside service
//! ```
//!
//! Four things happen in exactly one place each: only [`delivery`] acknowledges, only [`failure`] classifies, only
//! [`topology`] spells a queue's name, only `store` holds SQL.

pub mod address;
pub mod broker;
pub mod command_line;
pub mod config;
pub mod dead_letter;
pub mod delivery;
pub mod disposition;
pub mod exit;
pub mod failpoint;
pub mod failure;
pub mod foreign;
pub mod json;
mod kind;
pub mod named;
pub mod natural;
mod new_id;
pub mod post;
pub mod publisher;
pub mod regular;
pub mod retry;
pub mod roll_call;
pub mod shutdown;
pub mod telemetry;
pub mod topology;
pub mod verdict;
pub mod visible;

#[cfg(feature = "devstack")]
pub mod devstack;
#[cfg(feature = "review")]
pub mod review;
#[cfg(feature = "reviewer")]
pub mod reviewer;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "vitals")]
pub mod vitals;

/// The version of all three programs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
