//! Whole pages, drawn without a terminal.
#![cfg(test)]

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use sluice_rabbit::worker_status::Paused;

use super::draw;
use super::palette::Palette;
use super::view::{View, Wish};
use crate::status::known::{Status, Unreachable};
use crate::status::text::tests::status;
use crate::status::workers::Workers;
use crate::status::workers::tests::{NOON, workers_of};

/// The usual terminal, and a large one.
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];

/// The page as lines, and how many workers had room.
fn drawn(view: &View, (width, height): (u16, u16), colours: bool) -> (Vec<String>, usize, Vec<Color>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it needs no terminal");
    let mut room = 0;
    let now = NOON + time::Duration::seconds(10);
    let page = terminal.draw(|frame| room = draw::page(frame, view, &Palette::with(colours), now));
    let cells = page.expect("it can be drawn").buffer.content().to_vec();
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let lines = cells.chunks(width.into()).map(line).collect();
    (lines, room, cells.iter().map(|cell| cell.fg).collect())
}

/// A view that has seen three samples, the last at noon; each time every worker had stored two posts more.
fn view(workers: usize, change: impl Fn(&mut Status)) -> View {
    let mut view = View::new("post", Duration::from_secs(2));
    let begun = tokio::time::Instant::now();
    let mut last: Option<Status> = None;
    for number in 0..3 {
        let workers = workers_of(&vec![2 * number; workers]);
        let before = Duration::from_secs(2 * (2 - number));
        let mut sample =
            Status { paused: workers.paused(), workers: Some(workers), unreachable: Vec::new(), ..status() };
        (sample.at, sample.taken) = (NOON - before, begun + Duration::from_secs(2 * number));
        change(&mut sample);
        let sample = match &last {
            Some(last) => sample.with_rates_since(last),
            None => sample,
        };
        last = Some(sample.clone());
        view.take(sample);
    }
    view
}

fn has(lines: &[String], parts: &[&str]) {
    let page = lines.join("\n");
    parts.iter().for_each(|part| assert!(page.contains(part), "{part} in\n{page}"));
}

#[test]
fn eighteen_workers_have_room_or_are_scrolled_and_stand_in_their_natural_order() {
    for size in SIZES {
        let mut view = view(18, |_| {});
        let (lines, room, _) = drawn(&view, size, true);
        view.room = room;
        has(&lines, &["sluice status  post", "7 waiting in post_queue", "3 in post_dlq", "w-1 ", "w-2 ", "q quit"]);
        has(&lines, &["consuming", "1.0", "6%", "▇▇▇▇▇▇▇▇", "stored        18.0 a second"]);
        view.scroll(Wish::Scroll(isize::MAX));
        let (end, ..) = drawn(&view, size, true);
        let names = |lines: &[String]| -> Vec<String> {
            let names = lines.iter().filter(|line| line.starts_with("w-"));
            names.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
        };
        let [first, last] = [names(&lines), names(&end)];
        assert_eq!((first[0].as_str(), last.last().map(String::as_str)), ("w-1", Some("w-18")), "{lines:?}");
        assert_eq!((first.len(), last.len()), (room.min(18), room.min(18)));
        assert!(first.windows(2).all(|pair| pair != ["w-1", "w-10"]), "{first:?}");
        assert_eq!(room < 18, size.1 == 24, "{room} of 18 have room at {size:?}");
        let scrolled = end.last().expect("a line").contains("to 18 shown");
        assert_eq!(scrolled, size.1 == 24, "{end:?}");
    }
}

#[test]
fn what_is_down_is_said_first_with_since_when() {
    for size in SIZES {
        let view = view(18, |sample| {
            let since = NOON - time::Duration::seconds(50);
            let problem = "cannot use MySQL at 127.0.0.1:3306: Connection refused (os error 111)".to_owned();
            sample.unreachable.push(Unreachable { what: "MySQL", since, problem });
            sample.posts = None;
            let pause = |number: usize| Paused {
                dependency: "mysql".to_owned(),
                since: NOON - time::Duration::seconds(20),
                code: "mysql_unreachable".to_owned(),
                message: format!("refused, worker {number}"),
            };
            sample.workers = sample.workers.take().map(|workers| workers.paused_for(pause));
            sample.paused = sample.workers.as_ref().and_then(Workers::paused);
        });
        let (lines, room, colours) = drawn(&view, size, true);
        has(&lines[1..3], &["unreachable   MySQL since 2026-11-22T11:59:10Z, for 1m: cannot use MySQL"]);
        has(
            &lines,
            &["paused        mysql since 2026-11-22T11:59:40Z, for 30s (18 of 18 workers):", "mysql_unreachable"],
        );
        has(&lines, &["posts stored  unknown", "paused: mysql"]);
        assert!(room >= 3 && colours.contains(&Color::Red) && colours.contains(&Color::Yellow), "{lines:?}");
        let (_, _, plain) = drawn(&view, size, false);
        assert!(plain.iter().all(|colour| *colour == Color::Reset));
    }
}

#[test]
fn without_workers_or_servers_the_page_says_so() {
    for size in SIZES {
        has(&drawn(&View::new("post", Duration::from_secs(2)), size, true).0, &["querying RabbitMQ and MySQL"]);
        has(&drawn(&view(0, |_| {}), size, true).0, &["no worker answers", "0 workers", "q quit"]);
        let down = view(0, |sample| {
            (sample.queue, sample.workers, sample.dead_letters) = (None, None, None);
            sample.unreachable.push(Unreachable { what: "RabbitMQ", since: NOON, problem: "refused".to_owned() });
        });
        let (lines, ..) = drawn(&down, size, true);
        has(&lines, &["RabbitMQ since", "queue         unknown", "the list of workers is unknown", "workers unknown"]);
    }
}

#[test]
fn a_worker_that_falls_silent_keeps_its_line() {
    let mut view = view(3, |_| {});
    let later = Status { workers: Some(workers_of(&[6, 6])), ..status() };
    view.take(later);
    let (lines, ..) = drawn(&view, SIZES[0], true);
    let list: Vec<_> = lines.iter().filter(|line| line.starts_with("w-")).collect();
    assert!(list.len() == 3 && list[0].starts_with("w-3 ") && list[0].contains("silent for 10s"), "{lines:?}");
    has(&lines, &["2 workers and 1 silent"]);
}

#[test]
fn what_strangers_write_is_drawn_escaped_and_breaks_no_line() {
    let hostile = "\u{1b}[31mw\u{202e}\u{9b}\r\n\t終";
    for size in SIZES {
        let view = view(2, |sample| {
            sample.prefix = hostile.to_owned();
            sample.unreachable.push(Unreachable { what: "MySQL", since: NOON, problem: hostile.to_owned() });
            sample.workers = sample.workers.take().map(|workers| workers.named(hostile));
            if let Some(dead) = &mut sample.dead_letters {
                dead.note = Some(hostile.to_owned());
            }
        });
        let (lines, ..) = drawn(&view, size, true);
        let page = lines.concat();
        assert!(!page.chars().any(sluice_core::visible::is_hidden), "{page:?}");
        has(&lines, &[r"\u{1b}[31mw\u{202e}\u{9b}\r\n\t終"]);
    }
}

#[test]
fn no_size_of_a_terminal_is_too_small_to_draw_on() {
    let view = view(18, |_| {});
    for size in [(1, 1), (20, 3), (10, 40), (300, 2)] {
        drawn(&view, size, true);
    }
}
