//! Draws the page, as a function of the view and the time.
//!
//! ```text
//!  what is watched, and of when this is
//!  what is down, who waits for it, what was refused          only when there is such a thing
//!  queue, dead letters, posts stored
//!  accepted a second, stored a second                        two curves of one scale
//!  the workers                                               as many as there is room for
//!  keys
//! ```

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, RenderDirection, Sparkline, SparklineBar};
use time::OffsetDateTime;

use super::list;
use super::palette::Palette;
use super::view::View;
use crate::status::known::Status;
use crate::status::text::{Fact, facts, pause, unreachable};
use crate::status::worker_table::notes;
use crate::times::{shown, span};
use crate::visible::line;

/// The column at which values begin.
const LABEL: usize = 14;
/// How many lines one fact may take.
const LINES: usize = 2;
/// How many notes are shown; `sluice status` has them all.
const NOTES: usize = 3;
/// The minimum number of lines for the facts, so that values of varying length do not move the rest of the page.
const FACT_LINES: usize = 4;

/// Draws the whole of it; says how many workers had room.
pub(super) fn page(frame: &mut Frame<'_>, view: &View, palette: &Palette, now: OffsetDateTime) -> usize {
    let area = frame.area();
    let width = usize::from(area.width);
    let told = view
        .status
        .as_ref()
        .map(|status| told(status, width, palette, now))
        .unwrap_or_else(|| vec![Line::styled("querying RabbitMQ and MySQL …", palette.label())]);
    let curve = if area.height < 40 { 2 } else { 5 };
    let heights = [
        Constraint::Length(1),
        Constraint::Max(told.len().try_into().unwrap_or(u16::MAX)),
        Constraint::Length(curve + 1),
        // The headings, and at least two workers.
        Constraint::Min(3),
        Constraint::Length(1),
    ];
    let [title, facts, curves, workers, keys] = Layout::vertical(heights).areas(area);
    frame.render_widget(title_line(view, width, palette, now), title);
    frame.render_widget(Paragraph::new(told), facts);
    draw_curves(frame, curves, view, palette);
    let room = list::draw(frame, workers, view, palette, now);
    frame.render_widget(keys_line(view, room, palette), keys);
    room
}

/// `sluice status post … as of 12:00:00, 1s ago`
fn title_line(view: &View, width: usize, palette: &Palette, now: OffsetDateTime) -> Line<'static> {
    let name = format!("sluice status  {}", line(&view.prefix));
    let every = format!("every {}s", view.interval.as_secs_f64());
    let when = match &view.status {
        Some(status) => format!("{}, {} ago, {every}", shown(Some(status.at)), span(now - status.at)),
        None => every,
    };
    let gap = width.saturating_sub(name.chars().count() + when.chars().count()).max(2);
    Line::from(vec![
        Span::styled(name, palette.title()),
        Span::raw(" ".repeat(gap)),
        Span::styled(when, palette.label()),
    ])
}

/// The alarms, the notes and the facts.
fn told(status: &Status, width: usize, palette: &Palette, now: OffsetDateTime) -> Vec<Line<'static>> {
    // Durations continue to grow between two samples.
    let status = &Status { at: now, ..status.clone() };
    let mut lines = Vec::new();
    for fact in unreachable(status) {
        lines.extend(wrapped(fact, width, LINES, palette.alarm(), palette.alarm()));
    }
    if let Some(fact) = pause(status) {
        lines.extend(wrapped(fact, width, LINES, palette.warning(), palette.warning()));
    }
    let notes = notes(status);
    let more = notes.len().saturating_sub(NOTES);
    let more = (more > 0).then(|| format!("{more} more like this; `sluice status` lists them"));
    for note in notes.into_iter().take(NOTES).chain(more) {
        let fact = Fact { name: "note", value: note };
        lines.extend(wrapped(fact, width, LINES, palette.warning(), palette.warning()));
    }
    let alarms = lines.len();
    for fact in facts(status).into_iter().filter(|fact| fact.name != "speed") {
        lines.extend(wrapped(fact, width, LINES, palette.label(), Style::new()));
    }
    lines.resize(lines.len().max(alarms + FACT_LINES), Line::default());
    lines
}

/// A fact on as many lines as it takes, but no more than so many.
fn wrapped(fact: Fact, width: usize, most: usize, name: Style, value: Style) -> Vec<Line<'static>> {
    let mut texts = textwrap::wrap(&fact.value, width.saturating_sub(LABEL).max(10));
    let cut = texts.len() > most;
    texts.truncate(most);
    let last = texts.len().saturating_sub(1);
    let lines = texts.iter().enumerate().map(|(place, text)| {
        let label = format!("{:<LABEL$}", if place == 0 { fact.name } else { "" });
        let end = if cut && place == last { "…" } else { "" };
        Line::from(vec![Span::styled(label, name), Span::styled(format!("{text}{end}"), value)])
    });
    lines.collect()
}

/// Both curves, of one scale: where the right one is lower, the queue grows.
fn draw_curves(frame: &mut Frame<'_>, area: Rect, view: &View, palette: &Palette) {
    let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]);
    let [left, _, right] = halves.areas(area);
    let columns = usize::from(left.width.max(right.width));
    let seen = |curve: &VecDeque<Option<f64>>| curve.iter().take(columns).flatten().copied().fold(0.0, f64::max);
    let most = seen(&view.accepted).max(seen(&view.stored));
    for (area, name, curve, style) in
        [(left, "accepted", &view.accepted, palette.accepted()), (right, "stored", &view.stored, palette.stored())]
    {
        let [head, below] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let now = match curve.front() {
            Some(Some(rate)) => format!("{rate:.1} a second"),
            _ => "unknown".to_owned(),
        };
        let peak = format!("  peak {:.1}", seen(curve));
        let head_line = Line::from(vec![
            Span::styled(format!("{name:<LABEL$}"), palette.label()),
            Span::styled(now, style),
            Span::styled(peak, palette.label()),
        ]);
        frame.render_widget(head_line, head);
        let bars = curve.iter().take(columns).map(|rate| SparklineBar::from(rate.map(|rate| tenths(rate.max(0.0)))));
        let sparkline = Sparkline::default().data(bars).max(tenths(most).max(1)).style(style);
        let sparkline = sparkline.direction(RenderDirection::RightToLeft).absent_value_symbol("·");
        frame.render_widget(sparkline.absent_value_style(palette.label()), below);
    }
}

fn tenths(rate: f64) -> u64 {
    (rate * 10.0).round() as u64
}

/// `18 workers, 1 to 10 shown   q quit  ↑ ↓ PgUp PgDn scroll`
fn keys_line(view: &View, room: usize, palette: &Palette) -> Line<'static> {
    let all = view.workers();
    let silent = view.silent.len();
    let known = view.status.as_ref().is_some_and(|status| status.workers.is_some());
    let mut text = match all - silent {
        _ if !known => "workers unknown".to_owned(),
        1 => "1 worker".to_owned(),
        answer => format!("{answer} workers"),
    };
    if silent > 0 {
        text.push_str(&format!(" and {silent} silent"));
    }
    let hint = if all > room {
        let top = view.top.min(all.saturating_sub(room));
        text.push_str(&format!(", {} to {} shown", top + 1, (top + room).min(all)));
        "   q quit   ↑ ↓ PgUp PgDn scroll"
    } else {
        "   q quit"
    };
    Line::from(vec![Span::raw(text), Span::styled(hint, palette.label())])
}
