//! Exit codes, and the one place that prints the final error.

use std::io::Write as _;
use std::num::NonZero;

use tokio::runtime::{Builder, Runtime};

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

/// How many threads a program's tasks run on. The RabbitMQ library has one more for each connection, and files and long
/// computations have theirs.
///
/// More threads than there is work for make everything slower: whoever wakes a task wakes an idle thread too, which finds
/// nothing left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One: for programs of which several processes run.
    One,
    /// Half as many as there are processors, since the RabbitMQ library and the programs around need the others.
    HalfTheProcessors,
    /// As many as there are processors.
    AllProcessors,
}

impl Threads {
    fn runtime(self) -> std::io::Result<Runtime> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = match self {
            Self::One => 1,
            Self::HalfTheProcessors => processors / 2,
            Self::AllProcessors => processors,
        };
        let mut builder = match threads {
            0 | 1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        builder.worker_threads(threads.max(1)).enable_all().build()
    }
}

/// Runs a program from its first line to its exit code, on so many threads.
///
/// The process exits without shutting down its runtime: the RabbitMQ library has a thread that panics when a connection
/// attempt is cancelled, and the runtime would wait for a blocked read of stdin. Everything that needs an orderly end
/// has ended when `program` returns.
pub fn run(threads: Threads, program: impl Future<Output = anyhow::Result<Exit>>) -> ! {
    crate::failpoint::arm();
    let exit = match threads.runtime() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::RuntimeFlavor::{CurrentThread, MultiThread};

    #[test]
    fn a_program_has_as_many_threads_as_it_asked_for_and_one_at_least() {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        for (threads, count) in [
            (Threads::One, 1),
            (Threads::HalfTheProcessors, (processors / 2).max(1)),
            (Threads::AllProcessors, processors),
        ] {
            let runtime = threads.runtime().expect("a runtime");
            let flavor = if count == 1 { CurrentThread } else { MultiThread };
            assert_eq!(runtime.handle().runtime_flavor(), flavor, "{threads:?}");
            assert_eq!(runtime.metrics().num_workers(), count, "{threads:?}");
        }
    }
}
