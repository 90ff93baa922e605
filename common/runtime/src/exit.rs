//! Exit codes, and the one place that prints the final error.

use std::io::Write as _;

use crate::shutdown::ENDED_AT_ONCE;
use sluice_core::config::ConfigError;

/// The exit codes of all three programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done: 0.
    Done,
    /// It failed: 1.
    Failed,
    /// Wrong usage, and nothing was done: 2 (also clap's own).
    Usage,
    /// Some of it was done, or there was nothing to do it to, with a line for each item of which that is so: 3.
    Partial,
    /// It was interrupted (Ctrl-C, SIGTERM) before it was done: 130, as in shells.
    Interrupted,
    /// As the command ended that was run.
    As(u8),
}

impl Exit {
    /// Its number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::As(code) => code.into(),
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Interrupted => ENDED_AT_ONCE,
        }
    }
}

/// Runs a program from its first line to its exit code.
///
/// The process exits without shutting down its runtime: the RabbitMQ library has a thread that panics when a connection
/// attempt is cancelled, and the runtime would wait for a blocked read of stdin. Everything that needs an orderly end
/// has ended when `program` returns.
pub fn run(program: impl Future<Output = anyhow::Result<Exit>>) -> ! {
    crate::failpoint::arm();
    let exit = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(program);
            std::mem::forget(runtime);
            report(result)
        }
        Err(error) => report(Err(anyhow::Error::new(error).context("cannot start a runtime"))),
    };
    std::process::exit(exit.code())
}

/// The error's whole chain on stderr; a wrong setting is [`Exit::Usage`], all else [`Exit::Failed`].
fn report(result: anyhow::Result<Exit>) -> Exit {
    result.unwrap_or_else(|error| {
        // A closed terminal changes nothing.
        let _ = writeln!(std::io::stderr(), "error: {}", sluice_core::visible::block(&format!("{error:#}")));
        let wrongly_asked = error.chain().any(|cause| cause.is::<ConfigError>());
        if wrongly_asked { Exit::Usage } else { Exit::Failed }
    })
}
