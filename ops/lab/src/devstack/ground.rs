//! What the servers of one stack have in common.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::StackError;
use super::folder::Folder;
use super::process::Mark;
use super::programs::Programs;

/// The folder, the programs and the mark of one stack.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) folder: Folder,
    pub(super) programs: Programs,
    pub(super) mark: Mark,
    /// How long a server may take to be ready.
    pub(super) deadline: Duration,
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
