//! What a person sees while posts are published: a bar on a terminal, and lines that do not tear it.

use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// How far publishing has come. Drawn on stderr, and only if that is a terminal.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// Also say each published post on stdout.
    pub each: bool,
}

impl Progress {
    /// Over so many bytes of a file; `None`: nobody knows how many.
    #[must_use]
    pub fn of_bytes(total: Option<u64>) -> Self {
        Self { bar: bar(total, "{bar:30} {percent:>3}%  {msg}  {elapsed}, {eta} left"), each: false }
    }

    /// Over so many posts; `None`: without end. With `each`, every post is a line and no bar is drawn.
    #[must_use]
    pub fn of_posts(total: Option<u64>, each: bool) -> Self {
        let bar =
            if each { ProgressBar::hidden() } else { bar(total, "{bar:30} {pos}/{len}  {msg}  {elapsed}, {eta} left") };
        Self { bar, each }
    }

    /// How far it has come.
    pub fn advance(&self, to: u64, published: u64, posts_a_second: f64) {
        self.bar.set_position(to);
        self.bar.set_message(format!("{published} published, {posts_a_second:.0}/s"));
    }

    /// A line for the person, on stderr. A terminal that has gone away is no reason to stop.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    /// A line on stdout. A reader who has gone away is no reason to stop.
    pub fn tell(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line on stderr at the end, once the bar is gone. A terminal that has gone away changes nothing.
pub fn last_word(line: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A bar that goes off the screen with its last owner, so that no error message is written into it.
fn bar(total: Option<u64>, measured: &str) -> ProgressBar {
    let template = if total.is_some() { measured } else { "{spinner} {msg}  {elapsed}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
