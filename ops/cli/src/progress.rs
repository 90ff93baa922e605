//! The progress bar on a terminal.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A progress bar on a terminal, and nothing elsewhere.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    bar_at_rate(length, template, Arc::default(), None)
}

/// The same, with `{time_left}` in its template: of what is counted in `acted`, at most `rate` a second are done.
pub(crate) fn bar_at_rate(length: u64, template: &str, acted: Arc<AtomicU64>, rate: Option<u32>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if std::io::stderr().is_terminal() {
        // Templates are constants; if one is wrong, the default is used.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("time_left", time_left(acted, rate)));
        }
    }
    bar
}

/// What `{time_left}` shows: the estimate from the speed so far or from the allowed rate, whichever is later. It
/// assumes that the share of dead letters to act on stays the same.
fn time_left(
    acted: Arc<AtomicU64>,
    rate: Option<u32>,
) -> impl Fn(&ProgressState, &mut dyn Write) + Clone + Send + Sync {
    move |state, out| {
        let (seen, all) = (state.pos(), state.len().unwrap_or(0));
        let by_rate = rate.map(|rate| by_rate(seen, all, acted.load(Relaxed), rate)).unwrap_or_default();
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(out, "{:#}", HumanDuration(state.eta().max(by_rate)));
    }
}

/// How long the dead letters after the first `seen` of `all` take at this rate, where `acted` of those were acted on.
fn by_rate(seen: u64, all: u64, acted: u64, rate: u32) -> Duration {
    let share = if seen == 0 || acted == 0 { 1.0 } else { (acted as f64 / seen as f64).min(1.0) };
    let waiting = all.saturating_sub(seen) as f64 * share;
    Duration::from_secs_f64((waiting / f64::from(rate.max(1))).ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_no_shorter_than_the_rate_allows() {
        assert_eq!(by_rate(0, 6, 0, 1), Duration::from_secs(6));
        assert_eq!(by_rate(2, 6, 1, 1), Duration::from_secs(2), "every second one is for this operation");
        assert_eq!(by_rate(3, 6, 3, 2), Duration::from_secs(2));
        assert_eq!(by_rate(6, 6, 6, 1), Duration::ZERO);
    }
}
