//! The stop signal: the first asks for an orderly end, the second ends at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that was told twice to stop, and of a command that was interrupted: 128 and SIGINT's
/// number, as shells have it.
pub const ENDED_AT_ONCE: i32 = 130;

/// What the signals have asked for so far.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Cancelled by the first SIGTERM or SIGINT: stop taking work, finish what is in hand.
    pub orderly: CancellationToken,
    /// Cancelled by the second: end now. What was in hand goes back to the queue when the connection drops.
    pub at_once: CancellationToken,
}

impl Shutdown {
    /// Listens for the signals.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        Self::listening(true)
    }

    /// `logged`: whether each signal is a log line, as services have it. On a person's terminal it would stand in the
    /// midst of a question or a progress bar, and say what they have just done.
    fn listening(logged: bool) -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let told = shutdown.clone();
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let first = next().await;
            if logged {
                tracing::info!(signal = first, "stopping; a second signal ends at once");
            }
            told.orderly.cancel();
            let second = next().await;
            if logged {
                tracing::warn!(signal = second, "ending at once");
            }
            told.at_once.cancel();
        });
        Ok(shutdown)
    }
}

/// The orderly half, for services that have nothing to do before they end at once.
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn on_signal() -> std::io::Result<CancellationToken> {
    Shutdown::listen().map(orderly_half)
}

/// The same for commands that a person runs: nothing is logged.
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn on_interrupt() -> std::io::Result<CancellationToken> {
    Shutdown::listening(false).map(orderly_half)
}

fn orderly_half(shutdown: Shutdown) -> CancellationToken {
    let at_once = shutdown.at_once;
    tokio::spawn(async move {
        at_once.cancelled().await;
        std::process::exit(ENDED_AT_ONCE);
    });
    shutdown.orderly
}
