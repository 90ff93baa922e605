//! A statement that nobody waits for any more is killed in the server as well.
//!
//! A server does not notice that a client has left while a statement runs: a trigger that sleeps or a wait for a lock
//! goes on, and keeps the locks of the rows that were written before. Storing the same rows one by one would then wait
//! for these locks.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};

/// How long killing a statement may take, including the connection that it needs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A statement that is under way on a connection. Dropped before it is answered, it is killed in the server.
pub(super) struct UnderWay {
    connection: u32,
    options: Option<Opts>,
}

impl UnderWay {
    /// The statement that is about to be sent on the connection of this number.
    pub(super) fn new(connection: u32, options: &Opts) -> Self {
        Self { connection, options: Some(options.clone()) }
    }

    /// The statement was answered, so there is nothing to kill.
    pub(super) fn answered(mut self) {
        self.options = None;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the server will notice.
        if let (Some(options), Ok(runtime)) = (self.options.take(), tokio::runtime::Handle::try_current()) {
            let connection = self.connection;
            runtime.spawn(async move {
                // What cannot be killed ends by itself; nobody waits for it.
                let _ = tokio::time::timeout(PATIENCE, kill(connection, options)).await;
            });
        }
    }
}

/// Kills what runs on a connection. Behind a load balancer the address may lead to another server by now, where the
/// connection with this number is somebody else's. So it is only killed if it has our user, our database and is busy; a
/// process of ours that loses a statement this way repeats it.
async fn kill(connection: u32, options: Opts) -> Result<(), mysql_async::Error> {
    let mut session = Conn::new(options).await?;
    let ours = "SELECT id FROM information_schema.processlist WHERE id = ? AND db = DATABASE() \
                AND user = SUBSTRING_INDEX(USER(), '@', 1) AND command <> 'Sleep'";
    if session.exec_first::<u64, _, _>(ours, (connection,)).await?.is_some() {
        session.query_drop(format!("KILL {connection}")).await?;
    }
    session.disconnect().await
}
