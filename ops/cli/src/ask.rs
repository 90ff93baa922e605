//! Questions on a terminal, and their answers.

use std::io::{IsTerminal as _, Write as _};

use sluice_runtime::output::report;
use tokio_util::sync::CancellationToken;

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// What is answered to a question that was printed, until the end of the line; none: Ctrl-C was the answer.
///
/// # Errors
/// When the terminal is gone.
pub(crate) async fn answer(stop: &CancellationToken) -> anyhow::Result<Option<String>> {
    std::io::stderr().flush()?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = read => Ok(Some(answer??)),
        () = stop.cancelled() => {
            report!("");
            Ok(None)
        }
    }
}

/// Whether an answer is a clear yes.
pub(crate) fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_confirmation() {
        assert!(["y\n", "Y", " yes\r\n", "YES"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "yep", "yy", "j"].into_iter().any(is_yes));
    }
}
