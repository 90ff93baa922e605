//! Runs a command with a stack: the command finds the servers in its environment, and gets the signals that its caller
//! gets.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use super::process::send;
use super::{ROOT, Stack};

/// The database that programs use by default. The stack creates it empty.
pub(super) const DATABASE: &str = "sluice";

impl Stack {
    /// The addresses, as Sluice's programs read them from their environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AMQP_URL", self.amqp_url()),
            ("DATABASE_URL", self.database_url(DATABASE)),
            ("RABBITMQ_MANAGEMENT_URL", self.management_url()),
        ]
    }

    /// The addresses, as Sluice's tests read them, so that the tests use these servers; and the root, if these servers
    /// are from one, so that the servers that a test starts for itself are from it as well.
    #[must_use]
    pub fn test_environment(&self) -> Vec<(&'static str, String)> {
        let root = self.ground.programs.root.as_ref().map(|root| (ROOT, root.path().display().to_string()));
        let urls =
            [("SLUICE_TEST_AMQP_URL", self.amqp_url()), ("SLUICE_TEST_DATABASE_URL", self.database_url(DATABASE))];
        urls.into_iter().chain(root).collect()
    }

    /// Runs a command with both environments and waits for its end. Until then SIGINT, SIGTERM, SIGHUP and SIGQUIT are
    /// passed on to the command, which decides whether to end.
    ///
    /// # Errors
    /// When it cannot be started or waited for.
    pub async fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let mut hangups = signal(SignalKind::hangup())?;
        let mut quits = signal(SignalKind::quit())?;
        let mut child = command.envs(self.environment()).envs(self.test_environment()).spawn()?;
        loop {
            let signal = tokio::select! {
                status = child.wait() => return status,
                signal = next(&mut interrupts, Signal::SIGINT) => signal,
                signal = next(&mut terminations, Signal::SIGTERM) => signal,
                signal = next(&mut hangups, Signal::SIGHUP) => signal,
                signal = next(&mut quits, Signal::SIGQUIT) => signal,
            };
            // A terminal's keys signal the command as well; one more signal from here would count as a second key.
            let by_key = matches!(signal, Signal::SIGINT | Signal::SIGQUIT) && is_in_foreground();
            if let Some(pid) = child.id().filter(|_| !by_key) {
                // The command may have ended meanwhile.
                let _ = send(pid, signal);
            }
        }
    }
}

/// A command's exit code as shells have it: 128 and the signal's number for one that a signal ended.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// A path as one word of a shell's command line.
#[must_use]
pub fn shell_word(path: &Path) -> String {
    sluice_core::visible::shell_word(&path.display().to_string())
}

async fn next(signals: &mut Signals, which: Signal) -> Signal {
    if signals.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
    which
}

/// Whether this process is in its terminal's foreground, where keys become signals.
fn is_in_foreground() -> bool {
    std::fs::read_to_string("/proc/self/stat").is_ok_and(|stat| holds_the_terminal(&stat))
}

/// Of `pid (name) state ppid pgrp session tty_nr tpgid …`, whether `pgrp` is `tpgid`. A name may hold anything.
fn holds_the_terminal(stat: &str) -> bool {
    let Some((_, fields)) = stat.rsplit_once(')') else { return false };
    let fields: Vec<_> = fields.split_whitespace().collect();
    fields.len() > 5 && fields[2] == fields[5]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_a_killed_command_is_that_of_a_shell() {
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_code(ExitStatus::from_raw(Signal::SIGTERM as i32)), 143);
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(shell_word(Path::new("/tmp/a-b_c.d")), "/tmp/a-b_c.d");
        assert_eq!(shell_word(Path::new("my stack")), "'my stack'");
        assert_eq!(shell_word(Path::new("it's")), r"'it'\''s'");
        assert_eq!(shell_word(Path::new("~/$HOME")), "'~/$HOME'");
    }

    #[test]
    fn a_process_holds_the_terminal_when_its_group_is_the_terminals() {
        assert!(holds_the_terminal("7 (odd) name) S 1 7 5 34816 7 4194304"));
        assert!(!holds_the_terminal("7 (sluice) S 1 7 5 34816 9 4194304"));
        assert!(!holds_the_terminal("7 (sluice) S 1 7 5 0 -1 4194304"));
        assert!(!holds_the_terminal(""));
    }
}
