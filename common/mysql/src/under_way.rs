//! A statement that nobody waits for any more is ended in the server too.
//!
//! A server does not notice that a client has left while a statement runs: a trigger that sleeps and a wait for a lock
//! go on, with the locks of the rows that were written before. Whoever then stores the same rows one by one would wait
//! for them.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};

/// How long ending a statement may take, a connection of its own included.
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

    /// It was answered.
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

/// Kills what runs on a connection. Behind a balancer the address may lead to another server by now, whose connection
/// of this number is somebody else's: only one of our own user, in our own database and busy, is killed, and whoever
/// loses a statement that way repeats it.
async fn kill(connection: u32, options: Opts) -> Result<(), mysql_async::Error> {
    let mut session = Conn::new(options).await?;
    let ours = "SELECT id FROM information_schema.processlist WHERE id = ? AND db = DATABASE() \
                AND user = SUBSTRING_INDEX(USER(), '@', 1) AND command <> 'Sleep'";
    if session.exec_first::<u64, _, _>(ours, (connection,)).await?.is_some() {
        session.query_drop(format!("KILL {connection}")).await?;
    }
    session.disconnect().await
}
