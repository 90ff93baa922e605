//! Several worker processes under a supervisor, which restarts each that dies.
//!
//! A supervised process holds the other end of a pipe. When the supervisor stops, it closes the pipe, which requests an
//! orderly stop as a signal would, but can be repeated: a terminal's Ctrl-C has already reached every process, and a
//! second signal would make them exit immediately. If the supervisor is killed, the kernel closes the pipe.
//!
//! A byte in the pipe requests a reload of the rules, so SIGHUP to the supervisor reaches every process.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use sluice_core::retry::RetryPolicy;
use sluice_runtime::exit::Exit;
use sluice_runtime::shutdown::{ENDED_AT_ONCE, Shutdown};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cli::RunArgs;
use crate::rules::Calls;

/// How a process that dies is started again.
const RESTART: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// After a process has run this long, the next wait is the shortest again.
const WELL: Duration = Duration::from_secs(10);
/// How much longer than its own drain deadline a process may take to end.
const GRACE: Duration = Duration::from_secs(10);
/// The timeout for writing to the pipe: it waits only for a process that has not read for a long time.
const PIPE: Duration = Duration::from_secs(1);

/// Runs `args.processes` processes until the stop signal.
///
/// # Errors
/// When the executable of this program cannot be found.
pub async fn run(args: &RunArgs, shutdown: Shutdown, calls: &Calls) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("cannot find the executable of this program")?;
    let base = args.base_name();
    let mut watched = JoinSet::new();
    for slot in 1..=args.processes {
        let name = format!("{base}-{slot}");
        let listen = args.listen.map(|listen| port_of(listen, slot)).transpose()?;
        let process = Watched { program: program.clone().into(), name, listen, patience: args.drain + GRACE };
        watched.spawn(process.keep(shutdown.clone(), calls.heard()));
    }
    tracing::info!(processes = args.processes, name = base, "supervising worker processes");
    let all = async { while watched.join_next().await.is_some() {} };
    tokio::select! {
        () = all => Ok(Exit::Done),
        // Dropping them kills what is left in them.
        () = shutdown.at_once.cancelled() => {
            watched.shutdown().await;
            std::process::exit(ENDED_AT_ONCE)
        }
    }
}

/// The next port for each process.
fn port_of(listen: SocketAddr, slot: u16) -> anyhow::Result<SocketAddr> {
    let port = match listen.port() {
        0 => Some(0),
        port => port.checked_add(slot - 1),
    };
    let port =
        port.with_context(|| format!("SLUICE_WORKER_LISTEN: there is no port left for process {slot} after {listen}"))?;
    Ok(SocketAddr::new(listen.ip(), port))
}

/// One of the processes.
struct Watched {
    program: OsString,
    name: String,
    listen: Option<SocketAddr>,
    patience: Duration,
}

impl Watched {
    /// Keeps a process running until the end.
    async fn keep(self, shutdown: Shutdown, mut calls: watch::Receiver<u64>) {
        let mut schedule = RetryPolicy::forever(RESTART.0, RESTART.1).schedule();
        while !shutdown.orderly.is_cancelled() {
            let begun = Instant::now();
            let died = match self.start() {
                Ok(mut child) => {
                    let pid = child.id();
                    tracing::info!(worker = self.name, pid, "started a worker process");
                    // Taken out of the child, because waiting for a child closes its pipe first.
                    let mut pipe = child.stdin.take();
                    let status = loop {
                        tokio::select! {
                            status = child.wait() => break status,
                            () = shutdown.orderly.cancelled() => return self.end(child, pipe).await,
                            Ok(()) = calls.changed() => pass_on(pipe.as_mut()).await,
                        }
                    };
                    status.map_or_else(|error| error.to_string(), how)
                }
                Err(error) => format!("could not be started: {error}"),
            };
            if begun.elapsed() > WELL {
                schedule.reset();
            }
            let wait = schedule.next_wait(fastrand::f64());
            tracing::error!(worker = self.name, died, again_in = ?wait, "a worker process died");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.orderly.cancelled() => {}
            }
        }
    }

    /// The same command line; later arguments take precedence.
    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(std::env::args_os().skip(1));
        command.args(["--processes", "1", "--watched", "--name", &self.name]);
        if let Some(listen) = self.listen {
            command.args(["--listen", &listen.to_string()]);
        }
        command.stdin(Stdio::piped()).kill_on_drop(true).spawn()
    }

    async fn end(&self, mut child: Child, pipe: Option<ChildStdin>) {
        drop(pipe);
        match tokio::time::timeout(self.patience, child.wait()).await {
            Ok(Ok(status)) if status.success() => tracing::info!(worker = self.name, "ended"),
            Ok(Ok(status)) => tracing::warn!(worker = self.name, how = how(status), "ended"),
            Ok(Err(error)) => tracing::warn!(worker = self.name, %error, "cannot read its exit status"),
            Err(_) => {
                tracing::warn!(worker = self.name, "did not exit in time; killing it");
                let _ = child.kill().await;
            }
        }
    }
}

/// Passes a reload request on as one byte. A signal could reach a process before it handles signals, and terminate it.
async fn pass_on(pipe: Option<&mut ChildStdin>) {
    if let Some(pipe) = pipe {
        // A process that has exited is handled where it is waited for.
        let _ = tokio::time::timeout(PIPE, pipe.write_all(b"\n")).await;
    }
}

/// `exit code 1`, `signal 9`.
fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}
