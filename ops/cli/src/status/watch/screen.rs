//! The terminal's alternate screen: entered once, and left as it was however the program ends.
//!
//! A panic of the drawing thread is printed after the screen was left, where people can read it. A panic of any other
//! thread comes from a library (the RabbitMQ library panics in its own thread when a connection attempt is abandoned)
//! and is not fatal: its message is kept, and printed at the end.

use std::io;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossterm::cursor::Show;
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{DefaultTerminal, Frame, Terminal};

use sluice_runtime::output;

/// Whether the alternate screen is on.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// What other threads said when they panicked.
static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The screen. Dropped, it is left.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Enters it. To be called by the thread that draws.
    ///
    /// # Errors
    /// When there is no terminal that could be set up.
    pub(super) fn enter() -> io::Result<Self> {
        guard_against_panics();
        ENTERED.store(true, Ordering::SeqCst);
        let entered = enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen))
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        entered.map(Self).inspect_err(|_| leave())
    }

    /// Draws what has changed since the last time, and nothing else: so nothing flickers.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
        let kept = std::mem::take(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner));
        kept.iter().for_each(|text| output::say(&format!("{text}\n")));
    }
}

/// Only once. A closed terminal needs nothing.
fn leave() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    }
}

/// A panic message goes to the usual place, but never onto the screen. (The hook of `ratatui::init` leaves the screen
/// at any thread's panic.)
fn guard_against_panics() {
    let drawing = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if ENTERED.load(Ordering::SeqCst) && thread::current().id() != drawing {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
            return;
        }
        leave();
        before(info);
    }));
}
