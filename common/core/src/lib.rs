//! What the programs of Sluice agree on: what a post is, what a verdict, what went wrong and what follows from it.
//!
//! ```text
//!  post, verdict ◄─ failure ◄─ disposition ◄─ dead_letter      the way of a post, as values
//!  post, verdict ◄─ moderation                                 what people decide of a held post
//!  retry                                                       the schedule of attempts
//!  interval                                                    how certain a counted share is
//!  address ◄─ nodes ◄─ secret_url ◄─ config                    the settings that programs share
//!  server_user                                                 who connects to the servers
//!  trace_parent                                                which trace a post belongs to
//!  json, visible, name, named, natural, foreign                how texts are read, shown and compared
//! ```
//!
//! Nothing here does I/O or waits, and a clock is an argument.

pub mod address;
mod class;
pub mod config;
mod config_error;
pub mod dead_letter;
pub mod disposition;
pub mod failure;
pub mod foreign;
pub mod interval;
pub mod json;
pub mod kind;
pub mod moderation;
pub mod name;
pub mod named;
pub mod natural;
mod new_id;
pub mod nodes;
pub mod post;
pub mod retry;
mod secret_url;
pub mod server_user;
pub mod standing;
pub mod trace_parent;
pub mod verdict;
pub mod visible;

/// The version of all programs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
