//! A statement that nobody waits for any more is killed in the server as well.
//!
//! A server does not notice that a client has left while a statement runs: a trigger that sleeps or a wait for a lock
//! goes on, and keeps the locks of the rows that were written before. Storing the same rows one by one would then wait
//! for these locks, so whoever does that first waits until the server has ended the statement and undone what it wrote.
//! To wait for a row that is being undone is more than a delay: two statements that do it at neighbouring rows inherit
//! the gap between them, and each then keeps the other out until one of them fails as a deadlock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Opts};
use tokio::sync::watch;

/// How long one try to kill a statement may take, including the connection that it needs.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long it is tried: the server may have no connection to spare, or be out of reach. What cannot be killed by
/// then ends by itself.
const TRIED_FOR: Duration = Duration::from_secs(30);
/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// The wait between two looks at whether a killed connection is gone.
const LOOK: Duration = Duration::from_millis(10);

/// The statements that were given up and that may still run in the server. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct GivenUp(Arc<Mutex<Vec<watch::Receiver<()>>>>);

impl GivenUp {
    /// Adds one, which ends when the sender is dropped.
    fn add(&self) -> watch::Sender<()> {
        let (running, end) = watch::channel(());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.has_changed().is_ok());
        all.push(end);
        running
    }

    /// Waits until those of this moment have ended, or are not tried to be killed any more.
    pub(super) async fn ended(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for mut one in all {
            // Nothing is ever sent: it is an error once the sender is dropped.
            let _ = one.changed().await;
        }
    }
}

/// A statement that is under way on a connection. Dropped before it is answered, it is killed in the server.
pub(super) struct UnderWay {
    connection: u32,
    options: Option<Opts>,
    given_up: GivenUp,
}

impl UnderWay {
    /// The statement that is about to be sent on this connection.
    pub(super) fn new(connection: &Conn, given_up: &GivenUp) -> Self {
        let options = Some(connection.opts().clone());
        Self { connection: connection.id(), options, given_up: given_up.clone() }
    }

    /// Passes on the answer. If the connection broke instead, the statement may still run in the server, and is killed.
    pub(super) fn answered<T>(mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if !matches!(answer, Err(Error::Io(_) | Error::Driver(_))) {
            self.options = None;
        }
        answer
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the server will notice.
        if let (Some(options), Ok(runtime)) = (self.options.take(), tokio::runtime::Handle::try_current()) {
            let (connection, running) = (self.connection, self.given_up.add());
            runtime.spawn(async move {
                let given_up = Instant::now();
                while given_up.elapsed() < TRIED_FOR {
                    let tried = tokio::time::timeout(PATIENCE, kill(connection, given_up, options.clone())).await;
                    if matches!(tried, Ok(Ok(()))) {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                drop(running);
            });
        }
    }
}

/// Kills what runs on a connection. Behind a load balancer the address may lead to another server by now, or the server
/// may have started again; the connection with this number is then somebody else's. So it is only killed if it has our
/// user and our database, and is busy for as long as the statement was given up; a process of ours that loses a
/// statement this way repeats it.
///
/// `KILL` only asks for the end. The connection is listed until what it wrote is undone.
async fn kill(connection: u32, given_up: Instant, options: Opts) -> Result<(), Error> {
    let mut session = Conn::new(options).await?;
    let ours = "SELECT id FROM information_schema.processlist WHERE id = ? AND db = DATABASE() AND time >= ? \
                AND user = SUBSTRING_INDEX(USER(), '@', 1) AND command <> 'Sleep'";
    // The server counts whole seconds.
    let seconds = given_up.elapsed().as_secs().saturating_sub(1);
    if session.exec_first::<u64, _, _>(ours, (connection, seconds)).await?.is_some() {
        session.query_drop(format!("KILL {connection}")).await?;
        let listed = "SELECT id FROM information_schema.processlist WHERE id = ?";
        while session.exec_first::<u64, _, _>(listed, (connection,)).await?.is_some() {
            tokio::time::sleep(LOOK).await;
        }
    }
    session.disconnect().await
}
