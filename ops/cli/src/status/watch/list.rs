//! The list of workers: as many as there is room for, from where it was scrolled to.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Scrollbar, ScrollbarOrientation, ScrollbarState, Table};
use sluice_rabbit::worker_status::WorkerStatus;
use time::OffsetDateTime;

use super::palette::Palette;
use super::view::{Silent, View};
use crate::status::known::Status;
use crate::status::worker_table::{rate_of, rules, share, state, stored};
use crate::status::workers::Workers;
use crate::times::span;
use crate::visible::line;

/// The width from which less important columns are shown.
const WIDE: u16 = 150;
/// The longest bar of a share, in characters.
const BAR: usize = 8;

/// Draws it, with its headings; says how many workers had room.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, view: &View, palette: &Palette, now: OffsetDateTime) -> usize {
    let room = usize::from(area.height.saturating_sub(1));
    let Some(status) = &view.status else { return room };
    let all = view.workers();
    if all == 0 {
        let text = if status.workers.is_some() { "no worker answers" } else { "the list of workers is unknown" };
        frame.render_widget(Paragraph::new(text).style(palette.label()), area);
        return room;
    }
    let [area, bar] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let wide = area.width >= WIDE;
    let top = view.top.min(all.saturating_sub(room));
    let members = status.workers.iter().flat_map(Workers::members).enumerate();
    let answered = members.map(|(place, worker)| row(worker, status, place, wide, palette, now));
    let silent = view.silent.iter().map(|silent| silent_row(silent, wide, palette, now));
    // Workers that need attention are visible.
    let rows = silent.chain(answered).skip(top).take(room);
    frame.render_widget(Table::new(rows, widths(wide)).header(headings(wide, palette)).column_spacing(2), area);
    if all > room {
        let mut place = ScrollbarState::new(all.saturating_sub(room)).position(top);
        let scrollbar = Scrollbar::new(ScrollbarOrientation::VerticalRight).begin_symbol(None).end_symbol(None);
        let below = Rect { y: bar.y + 1, height: bar.height.saturating_sub(1), ..bar };
        frame.render_stateful_widget(scrollbar, below, &mut place);
    }
    room
}

fn widths(wide: bool) -> Vec<Constraint> {
    use Constraint::{Fill, Length};
    let usual = [Fill(1), Length(17), Length(9), Length(9), Length(5), Length(BAR as u16), Length(7)];
    let more = [Length(7), Length(9), Length(8), Length(31)];
    usual.into_iter().chain(more.into_iter().filter(|_| wide)).collect()
}

fn headings(wide: bool, palette: &Palette) -> Row<'static> {
    let usual = ["worker", "state"].map(Cell::from).into_iter();
    let numbers = ["in flight", "stored/s", "share"].map(number).into_iter();
    let rest = ["", "up"].map(Cell::from).into_iter();
    let more = [number("pid"), number("consumers"), Cell::from("version"), Cell::from("rules")];
    let more = more.into_iter().filter(|_| wide);
    Row::new(usual.chain(numbers).chain(rest).chain(more)).style(palette.heading())
}

fn row(
    worker: &WorkerStatus,
    status: &Status,
    place: usize,
    wide: bool,
    palette: &Palette,
    now: OffsetDateTime,
) -> Row<'static> {
    let rate = rate_of(status, place);
    let mut cells = vec![
        Cell::from(line(&worker.worker)),
        Cell::from(state(worker)).style(palette.state(worker.state)),
        number(worker.in_flight.to_string()),
        number(stored(rate)),
        number(share(rate)),
        Cell::from(bar(status, place)).style(palette.stored()),
        Cell::from(span(now - worker.started_at)),
    ];
    if wide {
        cells.extend([
            number(worker.pid.to_string()),
            number(worker.consumers.to_string()),
            Cell::from(line(&worker.version)),
            Cell::from(rules(worker, status)),
        ]);
    }
    Row::new(cells)
}

/// One that answered before.
fn silent_row(silent: &Silent, wide: bool, palette: &Palette, now: OffsetDateTime) -> Row<'static> {
    let none = || number("-");
    let told = format!("silent for {}", span(now - silent.since));
    let mut cells = vec![
        Cell::from(line(&silent.worker)),
        Cell::from(told),
        none(),
        none(),
        none(),
        Cell::from(""),
        Cell::from("-"),
    ];
    if wide {
        cells.extend([number(silent.pid.to_string()), none(), Cell::from("-"), Cell::from("-")]);
    }
    Row::new(cells).style(palette.alarm())
}

/// A worker's share beside the largest one, so that it can be seen whether the work is shared evenly.
fn bar(status: &Status, place: usize) -> String {
    let rates = status.rates.iter().flat_map(|rates| &rates.workers);
    let largest = rates.filter_map(|rate| rate.share).fold(0.0, f64::max);
    let share = rate_of(status, place).and_then(|rate| rate.share).unwrap_or_default();
    if largest > 0.0 { "▇".repeat((share / largest * BAR as f64).round() as usize) } else { String::new() }
}

fn number(text: impl Into<String>) -> Cell<'static> {
    Cell::from(Text::from(Line::from(text.into()).right_aligned()))
}
