//! What can go wrong with private servers: each error names the thing, the value and the fix.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::shell_word;

/// Why a stack, or one of its servers, is not as it was asked to be. The text holds all of it: there is no source
/// behind it to print.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Programs that are not installed.
    #[error("not installed: {}; install what a stack needs with: {install}", missing.join(", "))]
    Missing {
        /// The programs that were not found.
        missing: Vec<&'static str>,
        /// The one command that installs all of them.
        install: String,
    },
    /// There is no root where one was named.
    #[error("no root in {}: {problem}; create one with: ops/newest", path.display())]
    NoRoot {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
    /// A root without servers in it.
    #[error("the root in {} has no {}; create a root with: ops/newest", path.display(), missing.join(", no "))]
    RootLacks {
        /// The root.
        path: PathBuf,
        /// The programs that were not found in it.
        missing: Vec<&'static str>,
    },
    /// A user other than root asked for servers from a root.
    #[error("only root can start servers from the root in {}: run this as root, or without a root", .0.display())]
    RootIsForRoot(PathBuf),
    /// The folder's data are those of other servers than those of the root that was named.
    #[error(
        "{} holds data of servers from {}, not from the root in {}: choose another folder, or no root",
        dir.display(), origin(theirs.as_deref()), asked.display()
    )]
    OtherServers {
        /// The folder.
        dir: PathBuf,
        /// The root that its servers are from; `None`: this machine.
        theirs: Option<PathBuf>,
        /// The root that was named.
        asked: PathBuf,
    },
    /// The folder cannot be made, read or written.
    #[error("cannot use {} for a stack: {problem}; choose a folder that you may write to", path.display())]
    Folder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
    /// The folder is another user's, who could say which programs a stack in it runs.
    #[error(
        "{} belongs to user {owner}, and this is user {us}: choose a folder of your own, such as one that does not \
         exist yet",
        dir.display()
    )]
    OthersFolder {
        /// The folder.
        dir: PathBuf,
        /// The user whose it is.
        owner: u32,
        /// The user who asked.
        us: u32,
    },
    /// Other users may write into the folder.
    #[error(
        "other users may write to {} (its mode is {mode:o}), and could change what a stack in it runs: choose another \
         folder, or restrict it with: chmod 700 {}",
        dir.display(), shell_word(dir)
    )]
    OpenToOthers {
        /// The folder.
        dir: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There are servers, and the file with their passwords is gone or was never there.
    #[error(
        "the passwords of the servers in {} are missing (secrets.json): \
         remove the stack with its data, then start a new one: sluice-lab stack down --remove --dir {}",
        .0.display(), shell_word(.0)
    )]
    NoPasswords(PathBuf),
    /// The folder holds something, and it is not a stack.
    #[error(
        "{} is not empty and contains no stack (no stack.json): choose another folder, or an empty one",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// Another process starts or ends servers here at this moment, or is the owner of a bound stack.
    #[error("the stack in {} belongs to {owner}: stop that process, or choose another folder", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The process.
        owner: String,
    },
    /// A stack that outlives its starter is up here.
    #[error("a stack is up in {}: stop it with: sluice-lab stack down --dir {}", .0.display(), shell_word(.0))]
    Up(PathBuf),
    /// No server of this folder's stack is running.
    #[error("no stack is up in {}: start one with: sluice-lab stack up --dir {}", .0.display(), shell_word(.0))]
    NotUp(PathBuf),
    /// No free port could be found.
    #[error("no free port on 127.0.0.1: {0}")]
    NoPort(io::Error),
    /// A port was taken by someone else before the server could have it.
    #[error(
        "{server} cannot have 127.0.0.1:{port}: another program listens there; stop that program, or start a new stack"
    )]
    PortTaken {
        /// The server that was to listen.
        server: &'static str,
        /// The port it was to have.
        port: u16,
    },
    /// A program could not be started at all.
    #[error("cannot run {}: {problem}", program.display())]
    Launch {
        /// The program.
        program: PathBuf,
        /// What the system said.
        problem: io::Error,
    },
    /// More nodes than a cluster can have.
    #[error("a cluster has at most {most} nodes of a kind, not {asked}")]
    TooManyNodes {
        /// How many were asked for.
        asked: usize,
        /// How many there can be.
        most: usize,
    },
    /// A database server of a cluster is not like the others in time.
    #[error("{server} is not synced with its cluster after {} s, but {state}; its log{} says:\n{tail}", waited.as_secs(), at(log))]
    NotSynced {
        /// The server.
        server: &'static str,
        /// What it says of itself, in Galera's words.
        state: String,
        /// How long it had.
        waited: Duration,
        /// Where its whole log is.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server is to be down, and is not.
    #[error("{0} is running: stop or kill it first")]
    StillRunning(&'static str),
    /// A server ended while it was being started.
    #[error("{server} ended while starting; its log{} says:\n{tail}", at(log))]
    Died {
        /// The server.
        server: &'static str,
        /// Where its whole log is.
        log: PathBuf,
        /// The last lines that it wrote since it was started.
        tail: String,
    },
    /// A server did not answer in time.
    #[error("{server} did not answer on 127.0.0.1:{port} within {} s; its log{} says:\n{tail}", waited.as_secs(), at(log))]
    Silent {
        /// The server.
        server: &'static str,
        /// The port that was asked.
        port: u16,
        /// How long it was asked.
        waited: Duration,
        /// Where its whole log is.
        log: PathBuf,
        /// The last lines that it wrote since it was started.
        tail: String,
    },
    /// A signal was meant for a server that does not run.
    #[error("{0} is not running: start it first")]
    NotRunning(&'static str),
    /// Processes that were told to end and are still there.
    #[error(
        "still running after being told to stop: process {}; look at them with ps, and kill them by these numbers",
        list(pids)
    )]
    WontEnd {
        /// The processes.
        pids: Vec<u32>,
    },
    /// A signal could not be sent.
    #[error("cannot send {signal} to {server}, process {pid}: {problem}")]
    Signal {
        /// The signal's name.
        signal: &'static str,
        /// The server.
        server: &'static str,
        /// Its process.
        pid: u32,
        /// What the system said.
        problem: io::Error,
    },
}

impl StackError {
    /// Names the folder or file that an I/O error was about.
    pub(super) fn folder(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |problem| Self::Folder { path, problem }
    }
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Where servers are from.
fn origin(root: Option<&Path>) -> String {
    root.map_or_else(|| "this machine".to_owned(), |root| format!("the root in {}", root.display()))
}

/// Where a log is, unless it went with a temporary folder.
fn at(log: &Path) -> String {
    if log.exists() { format!(" ({})", log.display()) } else { String::new() }
}
