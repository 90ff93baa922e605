//! What the pages share.

use std::sync::Arc;

use super::session::{Hosts, Once, SessionKey, Tries};
use crate::console::access::Accounts;
use crate::console::followed::Followed;

/// What every page needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pages(pub(super) Arc<Parts>);

/// What it is.
pub(crate) struct Parts {
    /// Who may do what.
    pub(crate) accounts: Arc<Followed<Accounts>>,
    /// What sessions are signed with.
    pub(crate) key: SessionKey,
    /// Under which names people reach the console.
    pub(crate) hosts: Hosts,
    /// The link that was printed at start.
    pub(crate) once: Option<Once>,
    /// Tries to log in that failed.
    pub(crate) tries: Tries,
}

impl Pages {
    /// The pages with these parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}
