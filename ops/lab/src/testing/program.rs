//! A program that a test starts, watches and ends, by its process id.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::eventually;

/// A running program. Dropped, it is killed.
pub struct Program {
    child: Child,
    pid: i32,
    said: Arc<Mutex<Vec<String>>>,
    listening: Vec<JoinHandle<()>>,
}

impl Program {
    /// Starts it with a clean environment but for these variables. What it prints is kept, line by line.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(path: &str, args: &[&str], environment: &[(&str, String)]) -> Self {
        let mut command = Command::new(path);
        for inherited in ["AMQP_URL", "DATABASE_URL", "RUST_LOG"] {
            command.env_remove(inherited);
        }
        for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("SLUICE_")) {
            command.env_remove(variable);
        }
        command.args(args).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {path}: {error}"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut listening = Vec::new();
        listening.extend(child.stdout.take().map(|stdout| keep(stdout, Arc::clone(&said))));
        listening.extend(child.stderr.take().map(|stderr| keep(stderr, Arc::clone(&said))));
        let pid =
            child.id().and_then(|pid| i32::try_from(pid).ok()).expect("a process that was just started has an id");
        Self { child, pid, said, listening }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// All it has printed so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Waits until it has printed `words` so often.
    ///
    /// # Panics
    /// When it does not in time; shows what it printed instead.
    pub async fn says(&self, words: &str, times: usize) {
        eventually(&format!("the program to say {words:?} {times} times"), async || {
            let said = self.said();
            if said.matches(words).count() >= times { Ok(()) } else { Err(said) }
        })
        .await;
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).expect("the program is still running");
    }

    /// How it ended, if it has; does not wait.
    ///
    /// # Panics
    /// When that cannot be asked.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its end can be asked for")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = match tokio::time::timeout(super::DEADLINE, self.child.wait()).await {
            Ok(status) => status.expect("its end can be waited for"),
            Err(_) => panic!("the program has not ended; it said:\n{}", self.said()),
        };
        for listening in self.listening.drain(..) {
            // Its last lines may still be on their way; its child processes may keep the pipe open after its end.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), listening).await;
        }
        status
    }

    /// Asks it to stop and waits for its end.
    ///
    /// # Panics
    /// As [`Self::ended`].
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended().await
    }

    /// Kills it, as the kernel would.
    ///
    /// # Panics
    /// As [`Self::ended`].
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.ended().await;
    }
}

fn keep(output: impl AsyncRead + Send + Unpin + 'static, said: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}
