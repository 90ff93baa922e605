//! The nodes of the database, and the connections to the one in use.
//!
//! One node is used at a time, each program beginning with another one, until something fails there that is not a post's
//! fault: then the next. Of several nodes, one that is read-only is left, so that reads do not come from a copy
//! that lags behind: in a cluster with one writer, all programs use that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, IoError, Opts, Pool};

/// How long a connection may take if there are other nodes to be tried.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// All nodes.
pub(crate) struct Nodes {
    options: Vec<Opts>,
    used: Mutex<Used>,
}

/// The node in use.
struct Used {
    place: usize,
    /// Replaced when the node is left, even for itself. A connection that hangs would keep its place in the pool until
    /// the kernel gives it up; one that was opened while the server was read-only may stay read-only afterwards.
    pool: Pool,
    /// How often it was left.
    left: u64,
    /// It is known not to be read-only, or there is no other.
    checked: bool,
}

impl Nodes {
    /// At least one.
    pub(crate) fn new(options: Vec<Opts>) -> Self {
        let place = fastrand::usize(..options.len().max(1));
        let pool = Pool::new(options[place].clone());
        let used = Mutex::new(Used { place, pool, left: 0, checked: options.len() == 1 });
        Self { options, used }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.options.len()
    }

    /// How to reach the node in use.
    pub(crate) fn options(&self) -> &Opts {
        &self.options[self.used().place]
    }

    /// The connections to the node in use.
    pub(crate) fn pool(&self) -> Pool {
        self.used().pool.clone()
    }

    /// How often a node was left so far.
    pub(crate) fn left(&self) -> u64 {
        self.used().left
    }

    /// Leaves the node in use, with its connections, for the next one, unless somebody else did since it was left so
    /// often.
    pub(crate) fn leave(&self, left: u64) {
        let mut used = self.used();
        if used.left == left {
            let place = (used.place + 1) % self.options.len();
            let (pool, checked) = (Pool::new(self.options[place].clone()), self.options.len() == 1);
            *used = Used { place, pool, left: left + 1, checked };
        }
    }

    /// A connection to the first node that answers and can be written to; if none can, to one that answers.
    pub(crate) async fn connection(&self) -> Result<Conn, Error> {
        let mut tries = self.options.len();
        loop {
            tries -= 1;
            let (pool, left, checked) = {
                let used = self.used();
                (used.pool.clone(), used.left, used.checked)
            };
            if checked && tries == 0 {
                return pool.get_conn().await;
            }
            match tokio::time::timeout(NODE_TIMEOUT, taken(&pool, checked)).await {
                Ok(Ok((connection, read_only))) if !read_only || tries == 0 => {
                    if !read_only {
                        self.check(left);
                    }
                    return Ok(connection);
                }
                Ok(Err(error)) if tries == 0 => return Err(error),
                Err(_) if tries == 0 => return Err(late()),
                _ => self.leave(left),
            }
        }
    }

    fn check(&self, left: u64) {
        let mut used = self.used();
        if used.left == left {
            used.checked = true;
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and whether its server is read-only, unless that was asked before.
async fn taken(pool: &Pool, checked: bool) -> Result<(Conn, bool), Error> {
    let mut connection = pool.get_conn().await?;
    let read_only = !checked && connection.query_first::<u8, _>("SELECT @@GLOBAL.read_only").await? == Some(1);
    Ok((connection, read_only))
}

fn late() -> Error {
    let message = format!("no connection within {NODE_TIMEOUT:?}");
    Error::Io(IoError::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, message)))
}
