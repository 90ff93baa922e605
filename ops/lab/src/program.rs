//! Programs that are started beside this one: ours, built into the same folder, and others. Each writes its log into a
//! file and is ended in order.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use sluice_runtime::output::report;

/// How long a program may take to end by itself once it was told to.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A program that was started here.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it. `outlives`: it stays when this process ends; else it is killed at the latest when this value goes.
    ///
    /// # Errors
    /// When its log cannot be written, or it cannot be started.
    pub fn start(name: &str, mut command: Command, log: PathBuf, outlives: bool) -> anyhow::Result<Self> {
        let file = std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // A terminal's Ctrl-C is for us, who end our programs in order.
        command.process_group(0).kill_on_drop(!outlives);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Where its log is.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// That it still runs.
    ///
    /// # Errors
    /// When it has ended, with the end of its log.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(5)..].join("\n");
            bail!("{} ended by itself ({status}); its log ends with:\n{tail}", self.name);
        }
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// The most memory it has held so far, in bytes (`VmHWM` of /proc/PID/status, see proc(5)).
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        let pid = self.pid().with_context(|| format!("{} has ended", self.name))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.with_context(|| format!("/proc/{pid}/status does not say how much memory was held"))? * 1024)
    }

    /// Ends it in order: it finishes what it has in flight. One that does not end in time is killed, and that is said.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn end(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.pid().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if tokio::time::timeout(ENDS_WITHIN, self.child.wait()).await.is_err() {
            report!("{} did not exit in time; killing it", self.name);
            self.child.kill().await?;
        }
        Ok(())
    }

    /// Ends it and what it has started with SIGKILL, as the kernel does when memory runs out, and waits until it is
    /// gone.
    ///
    /// # Errors
    /// When it has ended by itself before, with the end of its log, or cannot be killed.
    pub async fn kill_group(mut self) -> anyhow::Result<()> {
        self.check()?;
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok());
        let group = Pid::from_raw(pid.with_context(|| format!("{} has ended", self.name))?);
        // It leads a group of its own: see `start`.
        killpg(group, Signal::SIGKILL).with_context(|| format!("cannot kill {} and its group {group}", self.name))?;
        self.child.wait().await?;
        Ok(())
    }
}

/// A program that was built into the same folder as this one.
///
/// # Errors
/// When it is not there, with the command that builds it.
pub fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("cannot find this program")?;
    let program = here.parent().unwrap_or(Path::new(".")).join(name);
    if !program.exists() {
        bail!(
            "{} is missing: `ops/build` builds all programs, `cargo build --release --workspace` those that are quick to run",
            program.display()
        );
    }
    Ok(program)
}

/// Keeps the settings of the caller's shell from a program: it is to have those of the servers that we started.
pub fn without_our_settings(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("SLUICE_") {
            command.env_remove(variable);
        }
    }
}

/// A free port of this machine. Somebody else may take it before its program does, which then says so.
///
/// # Errors
/// When there is none.
pub fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.to_string())
}
