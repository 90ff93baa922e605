//! The request to reload the rules: SIGHUP, as usual for long-running programs. It comes from outside, and to a
//! supervised process also through the pipe from its supervisor.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often a reload was requested so far. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calls(Arc<watch::Sender<u64>>);

impl Calls {
    /// Listens for SIGHUP, which from now on does not terminate the process.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        let mut hangups = signal(SignalKind::hangup())?;
        let calls = Self(Arc::new(watch::Sender::new(0)));
        let told = calls.clone();
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                told.call();
            }
        });
        Ok(calls)
    }

    /// Calls.
    pub fn call(&self) {
        self.0.send_modify(|times| *times += 1);
    }

    /// The calls from now on.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
