//! What the pages share.

use std::path::PathBuf;
use std::sync::Arc;

use sluice_core::config::ServerArgs;
use sluice_mysql::Store;
use sluice_mysql::review::Recheck;
use sluice_runtime::followed::Followed;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::frame::Refusal;
use super::session::{Hosts, Once, SessionKey, Tries};
use super::watch::{NowSource, QueuesSource, Searches, SnapshotSource, Watched};
use super::work::{Plans, Work};
use crate::browse::DeadLetters;
use crate::console::access::Accounts;
use crate::policies::Policies;

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
    /// The reasons for decisions.
    pub(crate) policies: Arc<Followed<Policies>>,
    /// How decisions may be checked again.
    pub(crate) recheck: Recheck,
    /// The database.
    pub(crate) store: Arc<Store>,
    /// Where the servers are, for connections of an operation's own.
    pub(crate) servers: ServerArgs,
    /// The rules by which the outcome of a replay is predicted; none: the built-in ones.
    pub(crate) rules: Option<PathBuf>,
    /// The dead letters.
    pub(crate) dead: DeadLetters,
    /// What `sluice status` shows.
    pub(crate) now: Arc<Watched<NowSource>>,
    /// All dead letters at one moment.
    pub(crate) snapshot: Arc<Watched<SnapshotSource>>,
    /// What is looked for in them.
    pub(crate) searches: Arc<Searches>,
    /// How many cases each queue has.
    pub(crate) queues: Arc<Watched<QueuesSource>>,
    /// Plans that wait for a yes.
    pub(crate) plans: Plans,
    /// Operations of this console.
    pub(crate) work: Work,
    /// Where they run: the console waits for them when it ends.
    pub(crate) tasks: TaskTracker,
    /// The console ends.
    pub(crate) stop: CancellationToken,
}

impl Pages {
    /// The pages with these parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Where an operation is recorded.
    pub(super) async fn recorder(&self) -> Result<Store, Refusal> {
        let store = Store::new(&self.0.servers.database).map_err(|error| unrecorded(error.to_string()))?;
        store.check_schema().await.map_err(|error| unrecorded(error.to_string()))?;
        Ok(store)
    }
}

/// What cannot be recorded is not done.
pub(super) fn unrecorded(why: String) -> Refusal {
    Refusal::down("Nothing was done, because it could not be recorded", why)
}
