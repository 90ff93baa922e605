//! A person who uses the pages.

use super::password::Password;
use super::role::Role;

/// A person who uses the pages.
#[derive(Clone)]
pub(crate) struct Person {
    /// By which name they log in, and under which their operations are recorded.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// Their password; none: they came by the link that was printed at start.
    pub(crate) password: Option<Password>,
    /// Sessions of another generation are over: a higher number logs this person out everywhere.
    pub(crate) generation: u32,
}
