//! The workers that answered: their state, their share of the work, and their problems.

use sluice_rabbit::worker_status::WorkerStatus;

use super::known::Status;
use super::known::WorkerRate;
use super::workers::Workers;
use crate::times::{shown, span};
use crate::visible::line;
use sluice_runtime::table::{lines, right, table};

/// A line for each worker that answered.
pub(super) fn table_of(workers: &Workers, status: &Status) -> String {
    if workers.members().is_empty() {
        return String::new();
    }
    let headings = ["worker", "pid", "state", "consumers", "in flight", "stored/s", "share", "up", "version", "rules"];
    let mut rows = table(&headings);
    for (place, worker) in workers.members().iter().enumerate() {
        let rate = rate_of(status, place);
        rows.add_row([
            line(&worker.worker),
            worker.pid.to_string(),
            state(worker),
            worker.consumers.to_string(),
            worker.in_flight.to_string(),
            stored(rate),
            share(rate),
            span(status.at - worker.started_at),
            line(&worker.version),
            rules(worker, status),
        ]);
    }
    right(&mut rows, &[1, 3, 4, 5, 6]);
    format!("\n{}", lines(rows))
}

/// What the worker at this position did since the previous sample.
pub(crate) fn rate_of(status: &Status, place: usize) -> Option<&WorkerRate> {
    status.rates.as_ref().and_then(|rates| rates.workers.get(place))
}

/// What a worker is doing, and what it waits for.
pub(crate) fn state(worker: &WorkerStatus) -> String {
    match &worker.paused {
        Some(paused) => format!("paused: {}", line(&paused.dependency)),
        None => worker.state.as_str().to_owned(),
    }
}

/// Posts a second of one worker.
pub(crate) fn stored(rate: Option<&WorkerRate>) -> String {
    rate.and_then(|rate| rate.stored_per_second).map_or_else(|| "-".to_owned(), |stored| format!("{stored:.1}"))
}

/// Its part of what all workers stored.
pub(crate) fn share(rate: Option<&WorkerRate>) -> String {
    rate.and_then(|rate| rate.share).map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0))
}

/// Problems with the review of some workers (refused rules, an outside reviewer that is not asked), and consumers that
/// do not answer.
pub(crate) fn notes(status: &Status) -> Vec<String> {
    let mut notes = Vec::new();
    for worker in status.workers.iter().flat_map(Workers::members) {
        let name = line(&worker.worker);
        if let Some(refused) = worker.rules.as_ref().and_then(|rules| rules.refused.as_ref()) {
            let (at, ago) = (shown(Some(refused.at)), span(status.at - refused.at));
            notes.push(format!("{name} refused newer rules at {at}, {ago} ago: {}", line(&refused.why)));
        }
        if let Some(scorer) = &worker.scorer {
            if let Some(why) = &scorer.in_shadow {
                notes.push(format!("{name} runs the scorer {} in shadow: {}", line(&scorer.id), line(why)));
            }
            if let Some(refused) = &scorer.refused {
                let (at, ago) = (shown(Some(refused.at)), span(status.at - refused.at));
                notes.push(format!("{name} refused a newer scorer at {at}, {ago} ago: {}", line(&refused.why)));
            }
        }
        if let Some((reviewer, since)) = worker.reviewer.as_ref().and_then(|one| Some((one, one.since?))) {
            let (circuit, at, lasts) = (line(&reviewer.circuit), shown(Some(since)), span(status.at - since));
            let why = line(reviewer.why.as_deref().unwrap_or("unknown"));
            notes.push(format!("{name} has not asked the outside reviewer since {at}, for {lasts} ({circuit}): {why}"));
        }
    }
    let answered = status.workers.as_ref().map(Workers::consumers);
    let silent = status.queue.as_ref().zip(answered).map_or(0, |(queue, known)| queue.consumers.saturating_sub(known));
    if silent > 0 {
        notes.push(format!("{silent} consumers belong to programs that did not answer"));
    }
    notes
}

/// `site@0123456789ab, for 2m 3s`
pub(crate) fn rules(worker: &WorkerStatus, status: &Status) -> String {
    let ruleset = line(&worker.ruleset);
    match &worker.rules {
        Some(rules) => format!("{ruleset}, for {}", span(status.at - rules.since)),
        None => ruleset,
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::page;
    use super::super::text::tests::status;

    #[test]
    fn what_is_amiss_with_the_review_is_said_under_the_workers() {
        let text = page(&status());
        for part in [
            "0.1.0    builtin, for 1m",
            "w-2 refused newer rules at 2026-11-22T11:59:30Z, 30s ago: site.toml:3:1: no",
            "w-2 runs the scorer learned@0123456789ab in shadow: it learnt from 2 texts",
            "w-2 refused a newer scorer at 2026-11-22T11:59:40Z, 20s ago: it is cut short",
            "w-2 has not asked the outside reviewer since 2026-11-22T11:59:50Z, for 10s (open): reviewer_status_500: no",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("w-1 r") && !text.contains("w-1 has not asked"), "{text}");
    }
}
