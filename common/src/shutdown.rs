//! The stop signal: the first asks for an orderly end, the second ends at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that was told twice to stop: 128 and SIGINT's number, as shells have it.
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
    /// Listens for the signals. SIGHUP is none of them: a program that runs without a terminal listens for it itself.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        Self::with_hangup(None)
    }

    /// The same, and this one asks for an orderly end, too. It never ends at once: when a terminal closes, it may come
    /// from the shell and then from the kernel.
    fn with_hangup(mut hangup: Option<Signal>) -> std::io::Result<Self> {
        let shutdown = Self::default();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let told = shutdown.clone();
        tokio::spawn(async move {
            let first = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                () = received(hangup.as_mut()) => "SIGHUP",
            };
            tracing::info!(signal = first, "stopping; a second signal ends at once");
            told.orderly.cancel();
            let second = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::warn!(signal = second, "ending at once");
            told.at_once.cancel();
        });
        Ok(shutdown)
    }

    /// The orderly half, for programs that have nothing to do before they end at once.
    fn or_exit(self) -> CancellationToken {
        tokio::spawn(async move {
            self.at_once.cancelled().await;
            std::process::exit(ENDED_AT_ONCE);
        });
        self.orderly
    }
}

/// Waits for a signal, for ever if there is none to wait for.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

/// The stop signal of a command that somebody runs: SIGHUP, which says that the terminal is gone, asks for an orderly
/// end, too, unless it was started to outlive its terminal (`nohup`).
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let hangup = if outlives_its_terminal() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(Shutdown::with_hangup(hangup)?.or_exit())
}

/// The stop signal of a server, which needs no terminal. SIGHUP asks servers to read their files again: this one has
/// none, says so, and goes on.
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn of_a_server() -> std::io::Result<CancellationToken> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!(signal = "SIGHUP", "nothing to read again; going on");
        }
    });
    Ok(Shutdown::listen()?.or_exit())
}

/// Whether SIGHUP was ignored already when this process began.
fn outlives_its_terminal() -> bool {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ignored & SIGHUP != 0
}
