//! The colours of the page, and their replacements if there are none.

use anstream::{AutoStream, ColorChoice};
use ratatui::style::{Color, Modifier, Style};
use sluice_rabbit::worker_status::State;

/// Styles by meaning. No information is conveyed by colour alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    colours: bool,
}

impl Palette {
    /// The terminal's, unless `NO_COLOR` or another of the usual variables says otherwise: the same rule as for log
    /// lines and `--help`.
    pub(super) fn new() -> Self {
        Self { colours: AutoStream::choice(&std::io::stdout()) != ColorChoice::Never }
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// The first line.
    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Names of what follows, and hints.
    pub(super) fn label(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The headings of the list.
    pub(super) fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// What is down.
    pub(super) fn alarm(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What waits, or was refused.
    pub(super) fn warning(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// The curve of what comes in.
    pub(super) fn accepted(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// The curve of what is stored.
    pub(super) fn stored(self) -> Style {
        self.coloured(Color::Green)
    }

    /// A worker's state.
    pub(super) fn state(self, state: State) -> Style {
        match state {
            State::Consuming => self.coloured(Color::Green),
            State::Paused | State::Connecting => self.warning(),
            State::Stopping => self.label(),
            State::Unknown => self.alarm(),
        }
    }
}

#[cfg(test)]
impl Palette {
    /// With colours or without, whatever the environment says.
    pub(super) fn with(colours: bool) -> Self {
        Self { colours }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_what_matters_still_stands_out() {
        for style in [Palette::with(false).alarm(), Palette::with(false).warning(), Palette::with(false).stored()] {
            assert_eq!(style.fg, None);
        }
        assert!(Palette::with(false).alarm().add_modifier.contains(Modifier::BOLD));
        assert_eq!(Palette::with(true).alarm().fg, Some(Color::Red));
    }
}
