//! One server that can be started, stopped, killed and frozen, again and again, with the same ports and data.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::StackError;
use super::folder::{Folder, tail};
use super::ports;
use super::process::{Mark, Process, send};
use super::programs::Programs;
use super::readiness::{Greeting, is_ready};
use super::version::version;

/// How often a server that is starting or ending is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a server may take to end by itself before it is killed.
const ORDERLY_END: Duration = Duration::from_secs(30);
/// How long a killed process may take to be gone.
const KILLED_END: Duration = Duration::from_secs(10);
/// How many lines of its log an error shows.
const TAIL_LINES: usize = 20;
/// What servers write when a port is not theirs to have: in RabbitMQ's words, in the system's, in MariaDB's and
/// MySQL's.
const TAKEN: [&str; 3] = ["eaddrinuse", "Address already in use", "port already in use"];

/// How a server is run. It is the same at each start.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) envs: Vec<(&'static str, OsString)>,
    /// The port that greets when the server is ready.
    pub(super) port: u16,
    /// The other ports that it takes.
    pub(super) other_ports: Vec<u16>,
    pub(super) greeting: Greeting,
}

/// What the servers of one stack have in common.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) folder: Folder,
    pub(super) programs: Programs,
    pub(super) mark: Mark,
    /// How long a server may take to be ready.
    pub(super) deadline: Duration,
}

/// A private server. Its operations come one at a time, whoever asks for them.
#[derive(Debug)]
pub struct Server {
    recipe: Recipe,
    ground: Ground,
    /// What has to run before it does: RabbitMQ's epmd.
    companion: Option<Box<Server>>,
    process: Mutex<Option<Process>>,
    turn: tokio::sync::Mutex<()>,
}

impl Server {
    /// A server that runs if an earlier run of a program left it running in this folder.
    pub(super) fn new(ground: &Ground, recipe: Recipe, companion: Option<Self>) -> Self {
        let recorded = ground.folder.pid(recipe.name).filter(|pid| ground.mark.is_on(*pid)).map(Process::recorded);
        Self {
            recipe,
            ground: ground.clone(),
            companion: companion.map(Box::new),
            process: Mutex::new(recorded),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Its name: `rabbitmq`, and `mariadb` or `mysql`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.recipe.name
    }

    /// The port of 127.0.0.1 on which clients find it. The same for as long as the stack is there.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.recipe.port
    }

    /// Its name and version as it says them: `RabbitMQ 4.3.6`. `None` where it does not answer.
    pub async fn version(&self) -> Option<String> {
        version(self.recipe.port, self.recipe.greeting).await
    }

    /// Its process, while it runs. A frozen server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process().as_mut()?.running(&self.ground.mark)
    }

    /// Whether its process is there. It says nothing of whether it answers.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Starts it, on the ports and with the data that it had, and waits until it answers. One that runs already is only
    /// waited for.
    ///
    /// # Errors
    /// When it ends at once, does not answer in time, or a port was taken meanwhile.
    pub async fn start(&self) -> Result<(), StackError> {
        let _turn = self.turn.lock().await;
        if let Some(companion) = &self.companion {
            companion.bring_up().await?;
        }
        self.bring_up().await
    }

    /// Ends it with SIGKILL, as a crash would, and waits until it is gone. Nothing happens to one that is not running.
    ///
    /// A RabbitMQ (3.10 at least) that is killed within a second after a quorum queue was declared may come back with
    /// that queue dead, and with it what was confirmed: its register of queues is written a moment later than its log.
    ///
    /// # Errors
    /// When the process is still there after 10 s.
    pub async fn kill(&self) -> Result<(), StackError> {
        let _turn = self.turn.lock().await;
        self.kill_now().await
    }

    /// Ends it in its own time, and waits until it is gone; a frozen one is thawed for that. After 30 s it is killed.
    ///
    /// # Errors
    /// When the process is still there after that.
    pub async fn stop(&self) -> Result<(), StackError> {
        let _turn = self.turn.lock().await;
        if self.pid().is_none() {
            return Ok(());
        }
        self.urge(Signal::SIGTERM)?;
        self.urge(Signal::SIGCONT)?;
        if self.is_gone_within(ORDERLY_END).await { Ok(()) } else { self.kill_now().await }
    }

    /// Stops it in its tracks (SIGSTOP): its connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it is not running.
    pub fn freeze(&self) -> Result<(), StackError> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    /// When it is not running.
    pub fn thaw(&self) -> Result<(), StackError> {
        self.signal(Signal::SIGCONT)
    }

    /// What its own tools need in their environment to find it.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.recipe.envs.iter().map(|(name, value)| (*name, value))
    }

    /// Kills it and what had to run for it.
    pub(super) async fn kill_all(&self) -> Result<(), StackError> {
        self.kill().await?;
        match &self.companion {
            Some(companion) => companion.kill_now().await,
            None => Ok(()),
        }
    }

    /// Ends it in its own time, and then what had to run for it.
    pub(super) async fn stop_all(&self) -> Result<(), StackError> {
        self.stop().await?;
        self.kill_all().await
    }

    /// Its processes that are children of this one, to be waited for by someone else.
    pub(super) fn take_children(&self) -> Vec<Child> {
        let own = self.process().take().and_then(Process::into_child);
        let others = self.companion.iter().flat_map(|companion| companion.take_children());
        own.into_iter().chain(others).collect()
    }

    async fn bring_up(&self) -> Result<(), StackError> {
        let log = self.ground.folder.log(self.recipe.name);
        let log_begins = log.metadata().map_or(0, |about| about.len());
        if self.pid().is_none() {
            self.launch()?;
        }
        let begun = Instant::now();
        loop {
            let Some(pid) = self.pid() else {
                return Err(self.died(tail(&log, log_begins, TAIL_LINES)));
            };
            if is_ready(pid, self.recipe.port, self.recipe.greeting).await {
                return Ok(());
            }
            if begun.elapsed() >= self.ground.deadline {
                let tail = tail(&log, log_begins, TAIL_LINES);
                let (server, port) = (self.recipe.name, self.recipe.port);
                return Err(StackError::Silent { server, port, waited: self.ground.deadline, log, tail });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn launch(&self) -> Result<(), StackError> {
        let Recipe { name, program, args, envs, port, other_ports, .. } = &self.recipe;
        if let Some(taken) = other_ports.iter().chain([port]).find(|port| !ports::is_free(**port)) {
            return Err(StackError::PortTaken { server: name, port: *taken });
        }
        let mut command = self.ground.command(program, name)?;
        let child = command
            .args(args)
            .envs(envs.iter().map(|(key, value)| (key, value)))
            .spawn()
            .map_err(|problem| StackError::Launch { program: program.clone(), problem })?;
        let pid = child.id();
        *self.process() = Some(Process::started(child));
        self.ground.folder.record_pid(name, pid)
    }

    /// Why it ended while starting: most often because another stack was quicker to take a port.
    fn died(&self, tail: String) -> StackError {
        let Recipe { name, port, other_ports, .. } = &self.recipe;
        let taken = other_ports.iter().chain([port]).find(|port| !ports::is_free(**port));
        match taken {
            Some(taken) => StackError::PortTaken { server: name, port: *taken },
            None if TAKEN.iter().any(|words| tail.contains(words)) => {
                StackError::PortTaken { server: name, port: *port }
            }
            None => StackError::Died { server: name, log: self.ground.folder.log(name), tail },
        }
    }

    async fn kill_now(&self) -> Result<(), StackError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        self.urge(Signal::SIGKILL)?;
        if self.is_gone_within(KILLED_END).await { Ok(()) } else { Err(StackError::WontEnd { pids: vec![pid] }) }
    }

    async fn is_gone_within(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.is_running() {
            if begun.elapsed() >= patience {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        true
    }

    /// Sends a signal that is to end it. It may have ended in this very moment.
    fn urge(&self, signal: Signal) -> Result<(), StackError> {
        match self.signal(signal) {
            Err(StackError::NotRunning(_)) => Ok(()),
            sent => sent,
        }
    }

    /// Sends a signal to the process as long as it is known to be ours: a child is not reaped while this holds it.
    fn signal(&self, signal: Signal) -> Result<(), StackError> {
        let server = self.recipe.name;
        let mut process = self.process();
        let running = process.as_mut().and_then(|process| process.running(&self.ground.mark));
        let pid = running.ok_or(StackError::NotRunning(server))?;
        send(pid, signal).map_err(|problem| StackError::Signal { signal: signal.as_str(), server, pid, problem })
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        // A panic elsewhere leaves the process as it was.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ground {
    /// A program of this stack, ready to be given its arguments: in a session of its own, out of reach of a terminal's
    /// Ctrl-C; with the mark, and nothing of the caller's environment; its output at the end of its log.
    pub(super) fn command(&self, program: &Path, log: &str) -> Result<Command, StackError> {
        let log = self.folder.log(log);
        let file = || File::options().create(true).append(true).open(&log).map_err(StackError::folder(&log));
        let mut command = Command::new(&self.programs.setsid);
        if let Some(root) = &self.programs.root {
            root.enter(&mut command, self.folder.path());
        }
        command
            .arg(program)
            .env_clear()
            .env("PATH", &self.programs.path)
            .env("LANG", "C.UTF-8")
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(file()?)
            .stderr(file()?);
        self.mark.put_on(&mut command);
        Ok(command)
    }
}
