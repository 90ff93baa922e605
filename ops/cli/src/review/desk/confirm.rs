//! Acts that ask first: on a terminal, and elsewhere they need `--yes`.

use sluice_core::config::ConfigError;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use tokio_util::sync::CancellationToken;

use crate::ask;

/// Makes sure that there is somebody to ask, before anything else is done.
///
/// # Errors
/// [`ConfigError`] when there is not, and `yes` was not said.
pub(crate) fn can(yes: bool, command: &'static str) -> Result<(), ConfigError> {
    if yes || ask::can_ask() {
        return Ok(());
    }
    Err(ConfigError::new(command, "there is no terminal for a confirmation prompt: use --yes to do it"))
}

/// Asks, unless `yes` was said. None: it is to be done; else how the command ends, which was said.
///
/// # Errors
/// When the terminal is gone.
pub(crate) async fn ask(yes: bool, question: &str, stop: &CancellationToken) -> anyhow::Result<Option<Exit>> {
    if yes {
        return Ok(None);
    }
    output::say(&format!("{question} [y/N] "));
    match ask::answer(stop).await? {
        Some(answer) if ask::is_yes(&answer) => Ok(None),
        Some(_) => {
            report!("nothing was done");
            Ok(Some(Exit::Failed))
        }
        None => {
            report!("interrupted; nothing was done");
            Ok(Some(Exit::Interrupted))
        }
    }
}
