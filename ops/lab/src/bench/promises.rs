//! What is promised of the speed, and whether it was kept. Each promise is about a ratio within one run, or about a
//! time or an amount of memory that a person can feel.

use serde::Serialize;

use super::accept::{BATCHES, FROM_A_FILE, PUBLISH, singly};
use super::drain::{MOST, PREFETCHING, SIMPLE, SIMPLE_GO, WORKER_MEMORY, consumers, processes};
use super::figures::{Figures, RABBITMQ, SLUICE};
use super::kills::LOST;
use super::latency::{LIGHT_ANSWER_50, LIGHT_ROW_50, LIGHT_ROW_99};
use super::review::{NEXT_99, NONE_HELD, SOME_HELD};
use super::scale::{BACKLOG_LONG, BACKLOG_SHORT, PRODUCER, WORKER_EARLY, WORKER_LATE};
use super::start::{PRODUCER_GONE, PRODUCER_READY, WORKER_GONE, WORKER_READY};
use super::{Part, door};

/// What has to hold of a number.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Between(f64, f64),
}

/// A promise, and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    /// What is compared.
    pub(super) what: String,
    /// The number: a ratio, or in the figure's own unit.
    pub(super) found: f64,
    pub(super) promised: String,
    pub(super) kept: bool,
}

/// All promises of whose parts there are figures.
pub(super) fn judge(figures: &Figures) -> Vec<Kept> {
    let mut judged = Vec::new();
    let mut ratio = |part: Part, of: (&str, &str), to: (&str, &str), bound: Bound| {
        if let Some(found) = figures.ratio(part, of, to) {
            judged.push(kept(format!("{} ÷ {}", told(of), told(to)), found, "", bound));
        }
    };
    use Bound::{AtLeast, AtMost, Between};
    let gin = door::Kind::Gin.who();
    for connections in super::accept::CONNECTIONS {
        let what = singly(connections);
        ratio(Part::Accept, (&what, SLUICE), (&what, gin), AtLeast(1.4));
        ratio(Part::Accept, (&what, SLUICE), (&what, door::Kind::GinUnconfirmed.who()), AtLeast(0.65));
    }
    ratio(Part::Accept, (BATCHES, SLUICE), (PUBLISH, RABBITMQ), AtLeast(0.6));
    ratio(Part::Accept, (FROM_A_FILE, SLUICE), (PUBLISH, RABBITMQ), AtLeast(0.7));
    let simple = consumers(16);
    for what in [1, 2, 4].map(consumers) {
        for who in [SIMPLE, SIMPLE_GO] {
            ratio(Part::Drain, (&what, SLUICE), (&what, who), AtLeast(1.0));
        }
    }
    for what in [32, MOST].map(consumers) {
        ratio(Part::Drain, (&what, SLUICE), (&simple, SIMPLE), AtLeast(2.5));
        ratio(Part::Drain, (&what, SLUICE), (&simple, SIMPLE_GO), AtLeast(2.8));
    }
    let most = consumers(MOST);
    ratio(Part::Drain, (&most, SLUICE), (&most, RABBITMQ), AtLeast(0.7));
    ratio(Part::Drain, (PREFETCHING, SLUICE), (&simple, SIMPLE), AtLeast(5.0));
    ratio(Part::Drain, (PREFETCHING, SLUICE), (&simple, SIMPLE_GO), AtLeast(6.0));
    for count in &super::drain::PROCESSES[1..] {
        ratio(Part::Drain, (&processes(*count), SLUICE), (&processes(1), SLUICE), AtLeast(1.0));
    }
    let direct = door::Kind::Direct.who();
    ratio(Part::Latency, (LIGHT_ANSWER_50, SLUICE), (LIGHT_ANSWER_50, direct), AtMost(2.0));
    ratio(Part::Scale, (BACKLOG_LONG, SLUICE), (BACKLOG_SHORT, SLUICE), Between(0.85, 1.15));
    // What the broker loses by itself cannot be made up for.
    ratio(Part::Scale, (BACKLOG_LONG, RABBITMQ), (BACKLOG_SHORT, RABBITMQ), Between(0.85, 1.15));
    ratio(Part::Scale, (WORKER_LATE, SLUICE), (WORKER_EARLY, SLUICE), AtMost(1.25));
    ratio(Part::Review, (SOME_HELD, SLUICE), (NONE_HELD, SLUICE), AtLeast(0.97));
    let mut value = |part: Part, what: &str, bound: Bound| {
        if let Some(figure) = figures.get(part, what, SLUICE) {
            judged.push(kept(what.to_owned(), figure.median, figure.unit.name(), bound));
        }
    };
    value(Part::Drain, WORKER_MEMORY, AtMost(48.0));
    value(Part::Latency, LIGHT_ROW_50, AtMost(6.0));
    value(Part::Latency, LIGHT_ROW_99, AtMost(40.0));
    value(Part::Scale, WORKER_LATE, AtMost(64.0));
    value(Part::Scale, PRODUCER, AtMost(64.0));
    for what in [WORKER_READY, PRODUCER_READY] {
        value(Part::Start, what, AtMost(300.0));
    }
    for what in [WORKER_GONE, PRODUCER_GONE] {
        value(Part::Start, what, AtMost(1000.0));
    }
    value(Part::Kills, LOST, AtMost(0.0));
    value(Part::Review, NEXT_99, AtMost(20.0));
    judged
}

fn told((what, who): (&str, &str)) -> String {
    format!("{who}, {what}")
}

fn kept(what: String, found: f64, unit: &str, bound: Bound) -> Kept {
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let (promised, kept) = match bound {
        Bound::AtLeast(least) => (format!("≥ {least}{unit}"), found >= least),
        Bound::AtMost(most) => (format!("≤ {most}{unit}"), found <= most),
        Bound::Between(least, most) => (format!("{least} to {most}{unit}"), (least..=most).contains(&found)),
    };
    Kept { what, found, promised, kept }
}
