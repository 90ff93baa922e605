//! Which processes are ours, so that no signal ever reaches another's.
//!
//! A process id alone says little: the process may be gone and its number given to someone else. Every server is
//! started with a mark in its environment that exists once in the world, and inherits it to what it starts itself. Who
//! carries the mark is ours; a zombie carries nothing and counts as gone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::process::{Child, Command};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// The variable that holds the mark.
const MARK: &str = "SLUICE_STACK_MARK";

/// What every process of one stack carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    /// A mark that nothing carries yet.
    pub(super) fn new() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    pub(super) fn recorded(mark: &str) -> Self {
        Self(mark.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The entry of the environment, as it stands in `/proc/PID/environ`.
    pub(super) fn entry(&self) -> String {
        format!("{MARK}={}", self.0)
    }

    /// Gives the mark to a process that is about to be started.
    pub(super) fn put_on(&self, command: &mut Command) {
        command.env(MARK, &self.0);
    }

    /// Whether this process lives and is ours.
    pub(super) fn is_on(&self, pid: u32) -> bool {
        let entry = self.entry();
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()))
    }

    /// Every living process that is ours.
    pub(super) fn processes(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pid = |name: OsString| name.to_str()?.parse().ok();
        let mut pids: Vec<u32> = entries.flatten().filter_map(|entry| pid(entry.file_name())).collect();
        pids.retain(|pid| self.is_on(*pid));
        pids
    }
}

/// A server's process: one that we started, or one that an earlier run of a program did.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    child: Option<Child>,
    /// Whether we have stopped it with SIGSTOP. The system shows it only once every thread has noticed.
    frozen: bool,
}

impl Process {
    pub(super) fn started(child: Child) -> Self {
        Self { pid: child.id(), child: Some(child), frozen: false }
    }

    pub(super) fn recorded(pid: u32) -> Self {
        Self { pid, child: None, frozen: false }
    }

    /// Its id, while it runs. A child that ended is reaped here, and never asked again.
    pub(super) fn running(&mut self, mark: &Mark) -> Option<u32> {
        let runs = match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => mark.is_on(self.pid),
        };
        runs.then_some(self.pid)
    }

    /// Sends it a signal. It must be running, at this moment.
    pub(super) fn send(&mut self, signal: Signal) -> io::Result<()> {
        send(self.pid, signal)?;
        self.frozen = match signal {
            Signal::SIGSTOP => true,
            Signal::SIGCONT => false,
            _ => self.frozen,
        };
        Ok(())
    }

    /// Whether it was sent SIGSTOP, and no SIGCONT since.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The child, to be waited for by someone else.
    pub(super) fn into_child(self) -> Option<Child> {
        self.child
    }
}

/// Sends a signal. The process must be known to be ours and running, at this moment.
pub(super) fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    Ok(signal::kill(Pid::from_raw(pid), signal)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    fn until(what: impl Fn() -> bool) {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it did not come about in 10 s");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_process_is_ours_by_its_mark_and_only_while_it_lives() {
        let (ours, other) = (Mark::new(), Mark::new());
        let mut command = Command::new("sleep");
        ours.put_on(command.arg("60").stdin(Stdio::null()));
        let mut child = command.spawn().expect("sleep runs everywhere");
        let pid = child.id();
        // For an instant after its start a process has no environment yet.
        until(|| ours.is_on(pid));
        assert!(!other.is_on(pid));
        assert_eq!(ours.processes(), [pid]);
        assert!(other.processes().is_empty());
        send(pid, Signal::SIGKILL).expect("our own child");
        child.wait().expect("our own child");
        assert!(!ours.is_on(pid));
    }

    #[test]
    fn a_zombie_counts_as_gone() {
        let mark = Mark::new();
        let mut command = Command::new("true");
        mark.put_on(&mut command);
        let mut child = command.spawn().expect("true runs everywhere");
        let stat = format!("/proc/{}/stat", child.id());
        until(|| fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(" Z ")));
        assert!(mark.processes().is_empty());
        child.wait().expect("our own child");
    }
}
