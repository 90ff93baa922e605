//! How a program ends: four exit codes, one place that prints the last error.

use std::process::ExitCode;

use crate::config::ConfigError;

/// The exit codes of all three programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done: 0.
    Done,
    /// It failed: 1.
    Failed,
    /// It was asked wrongly, and nothing was done: 2 (also clap's own).
    Usage,
    /// Some of it was done, with a line for each item that was not: 3.
    Partial,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
        })
    }
}

/// Ends a program: the error's whole chain on stderr, a wrong setting as [`Exit::Usage`], all else as
/// [`Exit::Failed`].
pub fn conclude(result: anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            let wrongly_asked = error.chain().any(|cause| cause.is::<ConfigError>());
            if wrongly_asked { Exit::Usage.into() } else { Exit::Failed.into() }
        }
    }
}
