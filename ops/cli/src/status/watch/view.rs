//! What is on the screen: the latest sample, what came before it, and how far the list of workers is scrolled. Changed
//! by samples and keys alone, so that a page is a function of it and of the time.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use time::OffsetDateTime;

use crate::status::known::Status;
use crate::status::workers::Workers;

/// How many samples the curves have at the most: more than a terminal has columns.
const SAMPLES: usize = 1000;
/// For how long a worker that does not answer any more is listed.
const NAMED: time::Duration = time::Duration::minutes(5);

/// Everything that a page shows.
#[derive(Debug)]
pub(super) struct View {
    /// The prefix of the names in RabbitMQ.
    pub(super) prefix: String,
    /// The time between two samples.
    pub(super) interval: Duration,
    /// The latest sample; none before the first.
    pub(super) status: Option<Status>,
    /// Posts accepted a second, the latest sample first.
    pub(super) accepted: VecDeque<Option<f64>>,
    /// Posts stored a second, the latest sample first.
    pub(super) stored: VecDeque<Option<f64>>,
    /// Workers that have answered since this began, and do not any more.
    pub(super) silent: Vec<Silent>,
    /// How many workers are scrolled off at the top.
    pub(super) top: usize,
    /// How many had room when the page was drawn last.
    pub(super) room: usize,
}

/// A worker that does not answer any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silent {
    /// Its name.
    pub(super) worker: String,
    /// Its process id.
    pub(super) pid: u32,
    /// The first sample without it.
    pub(super) since: OffsetDateTime,
}

/// The action of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To leave.
    Quit,
    /// To see workers further down by so many, or further up.
    Scroll(isize),
    /// To see the same number of workers further down (1) or up (-1) as there is room for.
    Page(isize),
    /// Nothing; a page of another size may have to be drawn.
    Nothing,
}

impl View {
    /// An empty view.
    pub(super) fn new(prefix: &str, interval: Duration) -> Self {
        Self {
            prefix: prefix.to_owned(),
            interval,
            status: None,
            accepted: VecDeque::new(),
            stored: VecDeque::new(),
            silent: Vec::new(),
            top: 0,
            room: 0,
        }
    }

    /// Takes the next sample.
    pub(super) fn take(&mut self, status: Status) {
        if let Some(rates) = &status.rates {
            for (curve, rate) in
                [(&mut self.accepted, rates.accepted_per_second), (&mut self.stored, rates.recorded_per_second)]
            {
                curve.push_front(rate);
                curve.truncate(SAMPLES);
            }
        }
        if let Some(workers) = &status.workers {
            self.note_silent(workers, status.at);
        }
        self.status = Some(status);
    }

    fn note_silent(&mut self, workers: &Workers, now: OffsetDateTime) {
        let answers = |worker: &str, pid| workers.members().iter().any(|one| one.worker == worker && one.pid == pid);
        // A worker with the same name was started in its place.
        let replaced = |worker: &str| workers.members().iter().any(|one| one.worker == worker);
        let before = self.status.iter().filter_map(|status| status.workers.as_ref()).flat_map(Workers::members);
        let lost = before.filter(|one| !answers(&one.worker, one.pid));
        self.silent.extend(lost.map(|one| Silent { worker: one.worker.clone(), pid: one.pid, since: now }));
        self.silent.retain(|silent| now - silent.since < NAMED && !replaced(&silent.worker));
    }

    /// How many workers there are to be shown.
    pub(super) fn workers(&self) -> usize {
        let answered =
            self.status.iter().filter_map(|status| status.workers.as_ref()).flat_map(Workers::members).count();
        answered + self.silent.len()
    }

    /// Scrolls. The first worker stays in sight at the top, the last one at the bottom.
    pub(super) fn scroll(&mut self, wish: Wish) {
        let by = match wish {
            Wish::Scroll(by) => by,
            Wish::Page(by) => by.saturating_mul(self.room.max(1).cast_signed()),
            Wish::Quit | Wish::Nothing => 0,
        };
        self.top = self.top.saturating_add_signed(by).min(self.workers().saturating_sub(self.room));
    }
}

impl Wish {
    /// What was pressed. In the terminal's raw mode Ctrl-C is a key like any other.
    pub(super) fn of(event: &Event) -> Self {
        let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press | KeyEventKind::Repeat, .. }) = event
        else {
            return Self::Nothing;
        };
        match code {
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Self::Quit,
            KeyCode::Char('q') | KeyCode::Esc => Self::Quit,
            KeyCode::Up | KeyCode::Char('k') => Self::Scroll(-1),
            KeyCode::Down | KeyCode::Char('j') => Self::Scroll(1),
            KeyCode::PageUp => Self::Page(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => Self::Page(1),
            KeyCode::Home | KeyCode::Char('g') => Self::Scroll(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => Self::Scroll(isize::MAX),
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::text::tests::status;
    use crate::status::workers::tests::{NOON, workers_of};

    fn sample(workers: usize, after: i64) -> Status {
        let (workers, at) = (workers_of(&vec![0; workers]), NOON + time::Duration::seconds(after));
        Status { workers: Some(workers), at, ..status() }
    }

    #[test]
    fn a_list_is_scrolled_no_further_than_to_its_ends() {
        let mut view = View::new("post", Duration::from_secs(2));
        view.take(sample(18, 0));
        view.room = 10;
        let tops = [Wish::Scroll(-1), Wish::Scroll(1), Wish::Page(1), Wish::Page(1), Wish::Scroll(-1), Wish::Page(-1)]
            .map(|wish| {
                view.scroll(wish);
                view.top
            });
        assert_eq!(tops, [0, 1, 8, 8, 7, 0]);
        view.scroll(Wish::Scroll(isize::MAX));
        assert_eq!(view.top, 8);
    }

    #[test]
    fn a_worker_that_does_not_answer_any_more_is_named_until_another_takes_its_place() {
        let mut view = View::new("post", Duration::from_secs(2));
        view.take(sample(3, 0));
        view.take(sample(2, 2));
        let silent = Silent { worker: "w-3".to_owned(), pid: 7, since: NOON + time::Duration::seconds(2) };
        assert_eq!((view.silent.as_slice(), view.workers()), (&[silent][..], 3));
        view.take(Status { workers: None, ..sample(0, 4) });
        assert_eq!(view.silent.len(), 1, "while RabbitMQ is down nobody answers, which says nothing of a worker");
        view.take(sample(3, 6));
        assert_eq!((view.silent.len(), view.workers()), (0, 3));
        view.take(sample(2, 8));
        view.take(sample(2, 8 + NAMED.whole_seconds()));
        assert_eq!(view.silent.len(), 0);
    }

    #[test]
    fn the_usual_keys_do_the_usual_things() {
        let press = |code, modifiers| Wish::of(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Wish::Quit);
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), Wish::Nothing);
        assert_eq!([KeyCode::Char('q'), KeyCode::Esc].map(|key| press(key, KeyModifiers::NONE)), [Wish::Quit; 2]);
        assert_eq!(press(KeyCode::Char('j'), KeyModifiers::NONE), press(KeyCode::Down, KeyModifiers::NONE));
        assert_eq!(Wish::of(&Event::Resize(80, 24)), Wish::Nothing);
    }
}
