//! How many lines the activity log may write.

use std::time::Duration;

use tokio::time::Instant;

/// The most lines within any second, so that a person can follow.
pub(super) const LINES: usize = 5;
const SECOND: Duration = Duration::from_secs(1);

/// Allows five lines within any second, wherever that second begins.
#[derive(Debug, Default)]
pub struct LineLimit {
    /// When the last lines were written, as a ring.
    written: [Option<Instant>; LINES],
    oldest: usize,
}

impl LineLimit {
    /// When the next line may be written; `None` means at once.
    #[must_use]
    pub fn free_at(&self) -> Option<Instant> {
        self.written[self.oldest].map(|written| written + SECOND)
    }

    /// How many lines may be written at `now`.
    #[must_use]
    pub fn room(&self, now: Instant) -> usize {
        self.written.iter().filter(|written| written.is_none_or(|written| written + SECOND <= now)).count()
    }

    /// Counts a line that is written at `now`.
    pub fn count(&mut self, now: Instant) {
        self.written[self.oldest] = Some(now);
        self.oldest = (self.oldest + 1) % LINES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_five_lines_wherever_it_begins() {
        let (mut limit, begun, mut lines) = (LineLimit::default(), Instant::now(), Vec::new());
        for step in 0..4000 {
            let now = begun + Duration::from_millis(step);
            // There is always something to write, except for one pause.
            if !(1500..2700).contains(&step) && limit.free_at().is_none_or(|free| free <= now) {
                assert!(limit.room(now) > 0);
                limit.count(now);
                lines.push(now);
            }
        }
        assert!(lines.windows(LINES + 1).all(|six| six[LINES] - six[0] >= SECOND), "{lines:?}");
        assert_eq!(lines.len(), 20, "and no line is held back without need");
    }

    #[test]
    fn room_comes_back_line_by_line() {
        let (mut limit, begun) = (LineLimit::default(), Instant::now());
        assert_eq!((limit.room(begun), limit.free_at()), (LINES, None));
        limit.count(begun);
        limit.count(begun + SECOND / 2);
        assert_eq!(limit.room(begun + SECOND / 2), LINES - 2);
        assert_eq!(limit.room(begun + SECOND), LINES - 1);
        assert_eq!(limit.room(begun + SECOND * 2), LINES);
    }
}
