//! Log lines that clients can cause: limited in number, whatever they do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often such a line may be written.
const EVERY: Duration = Duration::from_secs(10);
/// What happens often happens in bursts: the first line waits so long, to count the whole of one.
const BURST: Duration = Duration::from_secs(1);

/// One kind of log line, written at most every 10 s, with how often it happened. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Seldom(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How often it has happened since the last line.
    times: u64,
    /// A line is about to be written.
    due: bool,
    /// When the last line was written.
    last: Option<Instant>,
}

impl Seldom {
    /// It has happened. `say` writes the line, a little later, with how often it has happened by then; it is not
    /// called while a line is about to be written anyway.
    pub fn happened(&self, say: impl FnOnce(u64) + Send + 'static) {
        let mut state = self.state();
        state.times += 1;
        if std::mem::replace(&mut state.due, true) {
            return;
        }
        let rest = state.last.map_or(Duration::ZERO, |last| EVERY.saturating_sub(last.elapsed()));
        let seldom = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(rest.max(BURST)).await;
            let times = {
                let mut state = seldom.state();
                (state.due, state.last) = (false, Some(Instant::now()));
                std::mem::take(&mut state.times)
            };
            say(times);
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test(start_paused = true)]
    async fn however_often_it_happens_there_is_a_line_in_ten_seconds_and_none_is_left_out_of_its_count() {
        let (seldom, begun) = (Seldom::default(), Instant::now());
        let (lines, mut written) = mpsc::unbounded_channel();
        for _ in 0..250 {
            let lines = lines.clone();
            seldom.happened(move |times| lines.send((begun.elapsed().as_secs(), times)).expect("it is read"));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        drop(lines);
        let mut all = Vec::new();
        while let Some(line) = written.recv().await {
            all.push(line);
        }
        assert_eq!(all.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 11, 21, 31]);
        assert_eq!(all.iter().map(|(_, times)| times).sum::<u64>(), 250);
    }
}
