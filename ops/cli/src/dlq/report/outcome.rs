//! The outcome of each dead letter, of a batch and of an operation, and the exit code that follows from it.

use serde::Serialize;
use sluice_mysql::OperationItem;
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_runtime::exit::Exit;
use sluice_runtime::output;

/// The outcomes of a batch.
pub(crate) struct Batch {
    /// One for each dead letter, in their order.
    pub(crate) outcomes: Vec<OperationItem>,
    /// Why the operation cannot continue.
    pub(crate) stop: Option<String>,
}

impl Batch {
    /// A batch of which nothing was done.
    pub(crate) fn not_begun(reason: String) -> Self {
        Self { outcomes: Vec::new(), stop: Some(reason) }
    }
}

/// How a batch ended.
pub(crate) enum Done {
    /// Something was done, or nothing can be done.
    Acted(Batch),
    /// Nothing was done, because MySQL is down for now.
    NotNow(Vec<DeadLetter>, String),
    /// All was done, and has to be recorded once MySQL is back.
    Unrecorded(Batch, String),
}

/// How an operation ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// All dead letters were read.
    Complete,
    /// By Ctrl-C or SIGTERM.
    Interrupted,
    /// By an error.
    Stopped(String),
}

/// The outcome of a dead letter for which no confirm came in time.
pub(crate) const NOT_KNOWN: &str = "unknown";

/// The detail for an id that no dead letter has.
pub(crate) const NO_SUCH_DEAD_LETTER: &str = "no dead letter has this id";

/// One line of `--json`.
#[derive(Serialize)]
struct OutcomeLine<'a> {
    id: &'a str,
    outcome: &'a str,
    detail: &'a str,
}

/// Prints one outcome of `--json`. An operation goes on even if nobody reads stdout any more.
pub(crate) fn report_json(id: &str, outcome: &str, detail: &str) {
    let _ = output::print(|out| output::json_line(out, &OutcomeLine { id, outcome, detail }));
}

/// The exit code: 1 if nothing could be done, 130 if it was interrupted, 3 if it was done for some only. `missed`
/// counts those without an error for which nothing was done: no dead letter has the id, or it is left where it is.
pub(crate) fn exit(ending: &Ending, done: u32, missed: u32, failed: u32) -> Exit {
    match (ending, done, failed) {
        (Ending::Complete, _, 0) if missed == 0 => Exit::Done,
        (Ending::Complete, _, 0) => Exit::Partial,
        (Ending::Interrupted, _, _) => Exit::Interrupted,
        (_, 0, _) => Exit::Failed,
        (Ending::Complete | Ending::Stopped(_), _, _) => Exit::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_all_some_and_none_apart() {
        let stopped = Ending::Stopped("x".to_owned());
        assert_eq!(exit(&Ending::Complete, 3, 0, 0), Exit::Done);
        assert_eq!(exit(&Ending::Complete, 0, 0, 0), Exit::Done, "a filter that matches nothing is no failure");
        assert_eq!(exit(&Ending::Complete, 3, 0, 1), Exit::Partial);
        assert_eq!(exit(&Ending::Complete, 3, 1, 0), Exit::Partial);
        assert_eq!(exit(&Ending::Complete, 0, 1, 0), Exit::Partial, "an id that no dead letter has");
        assert_eq!(exit(&Ending::Complete, 0, 1, 1), Exit::Failed);
        assert_eq!(exit(&stopped, 3, 0, 0), Exit::Partial);
        assert_eq!(exit(&stopped, 0, 0, 3), Exit::Failed);
        assert_eq!(exit(&Ending::Interrupted, 3, 0, 0), Exit::Interrupted);
    }
}
