//! What ends the servers when their owner is gone: a shell script that waits for the end of a pipe.
//!
//! The owner may be killed with SIGKILL and then can do nothing more, so someone else has to. The kernel's own signal
//! for it (`PR_SET_PDEATHSIG`) comes when the *thread* that started a child ends, which an async runtime's threads do
//! at any time. A pipe is exact: it closes when the last process that holds it is gone, and a child that was just being
//! started holds it until it runs its own program, so no server can slip through.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::error::StackError;
use super::folder::Folder;
use super::process::Mark;
use super::programs::Programs;

const SCRIPT: &str = include_str!("guardian.sh");
/// How long it may take to end everything: longer than the script's own bounds.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What becomes of the folder at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Keep,
    Remove,
}

/// A running guardian. It acts when this is dropped, or the process that holds it ends.
#[derive(Debug)]
pub(super) struct Guardian {
    child: Child,
    fate: End,
}

impl Guardian {
    /// Sets a guardian over all processes with this mark, present and future.
    pub(super) fn post(programs: &Programs, folder: &Folder, mark: &Mark, fate: End) -> Result<Self, StackError> {
        let script = folder.write("guardian.sh", SCRIPT)?;
        let log = folder.log("guardian");
        let log_file = File::options().create(true).append(true).open(&log).map_err(StackError::folder(&log))?;
        let mut command = Command::new(&programs.setsid);
        command
            .arg("sh")
            .arg(script)
            .arg(if fate == End::Remove { "REMOVE" } else { "KEEP" })
            .arg(folder.path())
            .arg(mark.entry())
            // Not in the folder: it is to be removed.
            .current_dir("/")
            .env_clear()
            .env("PATH", &programs.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log_file);
        let child =
            command.spawn().map_err(|problem| StackError::Launch { program: programs.setsid.clone(), problem })?;
        Ok(Self { child, fate })
    }

    /// What becomes of the folder when it ends.
    pub(super) fn fate(&self) -> End {
        self.fate
    }

    /// Has it end everything now, and waits until it has.
    pub(super) async fn dismiss(mut self, folder: &Path, mark: &Mark) -> Result<(), StackError> {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let pids = mark.processes();
        if !pids.is_empty() {
            return Err(StackError::WontEnd { pids });
        }
        if self.fate == End::Remove && folder.exists() {
            return Err(StackError::Folder { path: folder.to_owned(), problem: std::io::Error::other("not removed") });
        }
        Ok(())
    }

    /// Has it end everything without waiting: the pipe closes, and the rest is up to the script.
    pub(super) fn release(mut self) -> Child {
        drop(self.child.stdin.take());
        self.child
    }
}
