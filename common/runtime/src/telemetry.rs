//! Log lines: to stderr, as text or as JSON, never with a post's text or a secret.

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::EnvFilter;

use sluice_core::config::{ConfigError, LogFormat};

/// Begins logging. Called once, first thing, by each program.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub fn init(format: LogFormat) -> Result<(), ConfigError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(wish) if !wish.is_empty() => {
            wish.parse::<EnvFilter>().map_err(|error| ConfigError::new("RUST_LOG", error.to_string()))?
        }
        _ => EnvFilter::new("info"),
    };
    // The library logs returned messages with their bodies at WARN, and each lost connection several times over.
    let filter = ["lapin=off", "amq_protocol=off", "refinery_core=warn"]
        .into_iter()
        .filter_map(|quiet| quiet.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    // A line that cannot be written is dropped. The library would report that on stderr, which is broken in this case,
    // and panic, which would end the logging task, including the one that waits for signals.
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // A second call (in tests) keeps the first one's subscriber.
    let _ = match format {
        LogFormat::Text => lines.with_target(false).with_ansi(has_colours()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_target(false).try_init(),
    };
    Ok(())
}

/// Whether to use colours: on a terminal, unless `NO_COLOR`, `CLICOLOR=0` or `TERM=dumb` says otherwise, and
/// elsewhere with `CLICOLOR_FORCE`. The same rule as for `--help`.
fn has_colours() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}
