//! The stop signal: the first requests an orderly stop, the second exits immediately.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code after a second stop signal, and of an interrupted command: 128 plus the number of SIGINT, as in
/// shells.
pub const ENDED_AT_ONCE: i32 = 130;

/// What the signals have asked for so far.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Cancelled by the first SIGTERM or SIGINT: stop taking work, finish what is in flight.
    pub orderly: CancellationToken,
    /// Cancelled by the second: exit now. What was in flight returns to the queue when the connection drops.
    pub at_once: CancellationToken,
}

impl Shutdown {
    /// Listens for the signals.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        Self::listening(None, true)
    }

    /// The same, and `hangup` asks for an orderly end, too. It never ends at once: when a terminal closes, it may come
    /// from the shell and then from the kernel.
    ///
    /// `logged`: whether each signal is a log line, as services have it. On a person's terminal it would stand in the
    /// midst of a question or a progress bar, and say what they have just done.
    fn listening(mut hangup: Option<Signal>, logged: bool) -> std::io::Result<Self> {
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
            if logged {
                tracing::info!(signal = first, "stopping; a second signal exits immediately");
            }
            told.orderly.cancel();
            let second = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if logged {
                tracing::warn!(signal = second, "exiting immediately");
            }
            told.at_once.cancel();
        });
        Ok(shutdown)
    }

    /// The orderly part, for programs that need no cleanup before an immediate exit.
    fn or_exit(self) -> CancellationToken {
        tokio::spawn(async move {
            self.at_once.cancelled().await;
            std::process::exit(ENDED_AT_ONCE);
        });
        self.orderly
    }
}

/// Waits for a signal, forever if there is none to wait for.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

/// The stop signal of a command that a person runs: nothing is logged. SIGHUP, which says that the terminal is gone,
/// asks for an orderly end, too, unless the command was started to outlive its terminal (`nohup`).
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn on_interrupt() -> std::io::Result<CancellationToken> {
    let hangup = if outlives_its_terminal() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(Shutdown::listening(hangup, false)?.or_exit())
}

/// The stop signal of a server, which needs no terminal, and SIGHUP, which asks servers to open or read their files
/// again.
///
/// # Errors
/// As [`Shutdown::listen`].
pub fn of_a_server() -> std::io::Result<(CancellationToken, Hangups)> {
    let hangups = Hangups(signal(SignalKind::hangup())?);
    Ok((Shutdown::listen()?.or_exit(), hangups))
}

/// Each SIGHUP that comes; none of them ends the process any more.
#[derive(Debug)]
pub struct Hangups(Signal);

impl Hangups {
    /// Waits for the next one; false when there will be none.
    pub async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }

    /// Logs each one, for a server that has nothing to reload by it.
    pub async fn decline(mut self) {
        while self.next().await {
            tracing::info!(signal = "SIGHUP", "nothing to reload");
        }
    }
}

/// Whether SIGHUP was ignored already when this process began.
fn outlives_its_terminal() -> bool {
    const SIGHUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ignored & SIGHUP != 0
}
