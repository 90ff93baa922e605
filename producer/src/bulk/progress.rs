//! What a person sees while posts are published: a progress bar on a terminal, and lines that do not break it.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};

/// How far publishing has come. Drawn on stderr, and only if that is a terminal.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    published: Arc<AtomicU64>,
    /// Also say each published post on stdout.
    pub each: bool,
}

impl Progress {
    /// Over so many bytes of a file; `None`: the size is unknown. At most `rate` posts are published a second.
    #[must_use]
    pub fn of_bytes(total: Option<u64>, rate: Option<f64>) -> Self {
        let published = Arc::default();
        let bar = bar(total, "{bar:30} {percent:>3}%  {msg}  {elapsed}, {time_left} left", &published, rate);
        Self { bar, published, each: false }
    }

    /// Over so many posts; `None`: without end. At most `rate` of them are published a second. With `each`, every post
    /// is a line and no bar is drawn.
    #[must_use]
    pub fn of_posts(total: Option<u64>, rate: Option<f64>, each: bool) -> Self {
        let published = Arc::default();
        let template = "{bar:30} {pos}/{len}  {msg}  {elapsed}, {time_left} left";
        let bar = if each { ProgressBar::hidden() } else { bar(total, template, &published, rate) };
        Self { bar, published, each }
    }

    /// How far it has come.
    pub fn advance(&self, to: u64, published: u64, posts_a_second: f64) {
        self.published.store(published, Relaxed);
        self.bar.set_position(to);
        self.bar.set_message(format!("{published} published, {posts_a_second:.0}/s"));
    }

    /// A line for the person, on stderr. A closed terminal is no reason to stop.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    /// A line on stdout. A closed pipe is no reason to stop.
    pub fn report(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line on stderr at the end, once the bar is gone. A closed terminal changes nothing.
pub fn last_word(line: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A bar that is removed from the screen with its last owner, so that no error message is written into it.
fn bar(total: Option<u64>, measured: &str, published: &Arc<AtomicU64>, rate: Option<f64>) -> ProgressBar {
    let template = if total.is_some() { measured } else { "{spinner} {msg}  {elapsed}" };
    let published = Arc::clone(published);
    // Estimated from the speed so far or from the allowed rate, whichever is later.
    let time_left = move |state: &ProgressState, out: &mut dyn fmt::Write| {
        let (done, all) = (state.pos(), state.len().unwrap_or(0));
        let by_rate = rate.map(|rate| by_rate(done, all, published.load(Relaxed), rate)).unwrap_or_default();
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(out, "{:#}", HumanDuration(state.eta().max(by_rate)));
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style.with_key("time_left", time_left);
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// How long the rest takes at this rate, if it holds as many posts for its size as the part that is done.
fn by_rate(done: u64, all: u64, published: u64, rate: f64) -> Duration {
    if done == 0 || rate <= 0.0 {
        return Duration::ZERO;
    }
    let posts = all.saturating_sub(done) as f64 * published as f64 / done as f64;
    Duration::try_from_secs_f64((posts / rate).ceil()).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_no_shorter_than_the_rate_allows() {
        assert_eq!(by_rate(1, 6, 1, 1.0), Duration::from_secs(5));
        assert_eq!(by_rate(500, 1000, 10, 2.0), Duration::from_secs(5), "ten posts in the first half of the bytes");
        assert_eq!(by_rate(0, 1000, 0, 2.0), Duration::ZERO, "nothing is known yet");
        assert_eq!(by_rate(6, 6, 6, 0.001), Duration::ZERO);
    }
}
