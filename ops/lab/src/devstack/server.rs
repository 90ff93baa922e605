//! One server that can be started, stopped, killed and frozen, again and again, with the same ports and data.

use std::ffi::OsString;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::error::StackError;
use super::ground::Ground;
use super::log::tail;
use super::process::Process;
use super::readiness::is_ready;
use super::recipe::Recipe;
use super::version::version;

/// How often a server that is starting or ending is checked.
const CHECK_AGAIN: Duration = Duration::from_millis(50);
/// How long a server may take to end by itself before it is killed.
const ORDERLY_END: Duration = Duration::from_secs(30);
/// How long a killed process may take to be gone: what it writes to a busy disk at that moment is written first.
const KILLED_END: Duration = Duration::from_secs(30);
const TAIL_LINES: usize = 20;

/// A private server. Its operations run one at a time.
#[derive(Debug)]
pub struct Server {
    recipe: Recipe,
    ground: Ground,
    /// The server that has to run first, and may be that of others as well: RabbitMQ's epmd.
    companion: Option<Arc<Server>>,
    process: Mutex<Option<Process>>,
    turn: tokio::sync::Mutex<()>,
}

impl Server {
    /// A server that runs if an earlier run of a program left it running in this folder.
    pub(super) fn new(ground: &Ground, recipe: Recipe, companion: Option<Arc<Self>>) -> Self {
        let recorded = ground.folder.pid(recipe.name).filter(|pid| ground.mark.is_on(*pid)).map(Process::recorded);
        Self {
            recipe,
            ground: ground.clone(),
            companion,
            process: Mutex::new(recorded),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Its name: `rabbitmq`, and `mariadb` or `mysql`; `rabbitmq-1` and so on in a cluster.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.recipe.name
    }

    /// Its port on 127.0.0.1, the same for as long as the stack exists.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.recipe.port
    }

    /// Its name and version as it reports them: `RabbitMQ 4.3.6`. `None` if it does not answer.
    pub async fn version(&self) -> Option<String> {
        version(self.recipe.port, self.recipe.greeting).await
    }

    /// Its process, while it runs. A frozen server runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process().as_mut()?.running(&self.ground.mark)
    }

    /// Whether its process exists, whether or not it answers.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Whether it was frozen from here: it runs, and answers nothing.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.is_running() && self.process().as_ref().is_some_and(Process::is_frozen)
    }

    /// Starts it, with the ports and the data that it had, and waits until it answers. If it runs already it only
    /// waits.
    ///
    /// # Errors
    /// When it ends at once, does not answer in time, or a port was taken meanwhile.
    pub async fn start(&self) -> Result<(), StackError> {
        let _turn = self.turn.lock().await;
        if let Some(companion) = &self.companion {
            let _turn = companion.turn.lock().await;
            companion.bring_up().await?;
        }
        self.bring_up().await
    }

    /// Ends it with SIGKILL, as a crash would, and waits until it is gone. Does nothing if it is not running.
    ///
    /// A RabbitMQ (3.10 at least) that is killed within a second after a quorum queue was declared may come back with
    /// that queue dead, and what was confirmed lost: its register of queues is written a moment later than its log.
    ///
    /// # Errors
    /// When the process is still there after 30 s.
    pub async fn kill(&self) -> Result<(), StackError> {
        let _turn = self.turn.lock().await;
        self.kill_now().await
    }

    /// Ends it with SIGTERM, after thawing it, and waits until it is gone. After 30 s it is killed.
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

    /// Freezes it with SIGSTOP: its connections stay open and nothing answers.
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

    /// Kills it and its companion.
    pub(super) async fn kill_all(&self) -> Result<(), StackError> {
        self.kill().await?;
        match &self.companion {
            Some(companion) => companion.kill_now().await,
            None => Ok(()),
        }
    }

    /// Stops it, and then its companion.
    pub(super) async fn stop_all(&self) -> Result<(), StackError> {
        self.stop().await?;
        self.kill_all().await
    }

    /// Its processes that are children of this one, for the caller to wait for.
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
                return Err(self.recipe.died(log.clone(), tail(&log, log_begins, TAIL_LINES)));
            };
            if is_ready(pid, self.recipe.port, self.recipe.greeting).await {
                return Ok(());
            }
            if begun.elapsed() >= self.ground.deadline {
                let tail = tail(&log, log_begins, TAIL_LINES);
                let (server, port) = (self.recipe.name, self.recipe.port);
                return Err(StackError::Silent { server, port, waited: self.ground.deadline, log, tail });
            }
            tokio::time::sleep(CHECK_AGAIN).await;
        }
    }

    fn launch(&self) -> Result<(), StackError> {
        let Recipe { name, program, args, envs, .. } = &self.recipe;
        if let Some(port) = self.recipe.taken_port() {
            return Err(StackError::PortTaken { server: name, port });
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
            tokio::time::sleep(CHECK_AGAIN).await;
        }
        true
    }

    /// Sends a signal that is to end it, if it has not ended in this very moment.
    fn urge(&self, signal: Signal) -> Result<(), StackError> {
        match self.signal(signal) {
            Err(StackError::NotRunning(_)) => Ok(()),
            sent => sent,
        }
    }

    /// Sends a signal while the process is certain to be ours: a child is not reaped while the lock is held.
    fn signal(&self, signal: Signal) -> Result<(), StackError> {
        let server = self.recipe.name;
        let mut process = self.process();
        let running = process.as_mut().and_then(|process| Some((process.running(&self.ground.mark)?, process)));
        let (pid, process) = running.ok_or(StackError::NotRunning(server))?;
        process.send(signal).map_err(|problem| StackError::Signal { signal: signal.as_str(), server, pid, problem })
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        // A panic elsewhere leaves the process as it was.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
