//! The page for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sluice_rabbit::roll_call::Presence;
use time::Duration;

use super::crew::{Crew, PausedCrew};
use super::sample::{Dead, Posts, Queue, Rates, Status};
use crate::times::{shown, span};
use crate::visible::line;
use sluice_runtime::table::{lines, right, table};

/// The whole page.
#[must_use]
pub(super) fn page(status: &Status) -> String {
    let mut page = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<14}{value}");
    };
    row("at", &shown(Some(status.at)));
    if let Some(paused) = &status.paused {
        row("paused", &line(&pause(paused, status)));
    }
    row("queue", &status.queue.as_ref().map_or_else(away, queue));
    row("dead letters", &status.dead_letters.as_ref().map_or_else(away, dead_letters));
    row("posts stored", &status.posts.as_ref().map_or_else(away, posts));
    if let Some(rates) = status.rates.as_ref().filter(|_| status.queue.is_some() || status.posts.is_some()) {
        row("speed", &speed(rates));
    }
    for away in &status.away {
        row("away", &line(&format!("{}: {}", away.what, away.problem)));
    }
    if let Some(crew) = &status.workers {
        page.push_str(&workers(crew, status));
    }
    page
}

fn away() -> String {
    "unknown".to_owned()
}

fn queue(queue: &Queue) -> String {
    let Queue { ready, name, consumers, in_hand, .. } = queue;
    let mut text = format!("{ready} waiting in {name}, {in_hand} in hand, {consumers} consumers");
    if let Some(age) = queue.oldest_age_seconds {
        let _ = write!(text, "; the oldest was submitted {} ago", span(Duration::seconds(age)));
    }
    text
}

/// `mysql since 16:00, for 2m 3s (4 of 4 workers): …`
fn pause(paused: &PausedCrew, status: &Status) -> String {
    let PausedCrew { dependency, since, workers, code, message } = paused;
    let all = status.workers.as_ref().map_or(0, |crew| crew.members().len());
    let lasts = span(status.at - *since);
    let since = shown(Some(*since));
    format!("{dependency} since {since}, for {lasts} ({workers} of {all} workers): {code}: {message}")
}

/// A line for each worker that answered, and a word on those that did not.
fn workers(crew: &Crew, status: &Status) -> String {
    let mut text = String::new();
    if !crew.members().is_empty() {
        let mut rows = table(&["worker", "pid", "state", "consumers", "in hand", "up", "version", "rules"]);
        for worker in crew.members() {
            rows.add_row([
                line(&worker.worker),
                worker.pid.to_string(),
                match &worker.paused {
                    Some(paused) => format!("paused: {}", line(&paused.dependency)),
                    None => worker.state.as_str().to_owned(),
                },
                worker.consumers.to_string(),
                worker.in_hand.to_string(),
                span(status.at - worker.started_at),
                line(&worker.version),
                rules(worker, status),
            ]);
        }
        right(&mut rows, &[1, 3, 4]);
        let _ = write!(text, "\n{}", lines(rows));
    }
    text.push_str(&troubles(crew, status));
    let silent = status.queue.as_ref().map_or(0, |queue| queue.consumers.saturating_sub(crew.consumers()));
    if silent > 0 {
        let _ = writeln!(text, "\n{silent} consumers belong to programs that did not answer");
    }
    text
}

/// What is amiss with the review of some: rules that they do not take, an outside reviewer that they do not ask.
fn troubles(crew: &Crew, status: &Status) -> String {
    let mut text = String::new();
    for worker in crew.members() {
        let name = line(&worker.worker);
        if let Some(refused) = worker.rules.as_ref().and_then(|rules| rules.refused.as_ref()) {
            let (at, ago) = (shown(Some(refused.at)), span(status.at - refused.at));
            let _ = writeln!(text, "\n{name} refused newer rules at {at}, {ago} ago: {}", line(&refused.why));
        }
        if let Some((reviewer, since)) = worker.reviewer.as_ref().and_then(|one| Some((one, one.since?))) {
            let (circuit, at, lasts) = (line(&reviewer.circuit), shown(Some(since)), span(status.at - since));
            let why = line(reviewer.why.as_deref().unwrap_or("unknown"));
            let _ =
                writeln!(text, "\n{name} does not ask the outside reviewer since {at}, for {lasts} ({circuit}): {why}");
        }
    }
    text
}

/// `site@0123456789ab, for 2m 3s`
fn rules(worker: &Presence, status: &Status) -> String {
    let ruleset = line(&worker.ruleset);
    match &worker.rules {
        Some(rules) => format!("{ruleset}, for {}", span(status.at - rules.since)),
        None => ruleset,
    }
}

fn dead_letters(dead: &Dead) -> String {
    let mut text = format!("{} in {}", dead.ready, dead.name);
    for (class, count) in dead.by_class.iter().flatten() {
        let _ = write!(text, ", {count} {class}");
    }
    if let Some(age) = dead.oldest_age_seconds {
        let _ = write!(text, "; the oldest failed {} ago", span(Duration::seconds(age)));
    }
    if let Some(recent) = dead.last_hour.filter(|_| dead.ready > 0) {
        let _ = write!(text, ", {recent} within the last hour");
    }
    if let Some(note) = &dead.note {
        let _ = write!(text, " ({note})");
    }
    text
}

fn posts(posts: &Posts) -> String {
    let verdicts = |counts: &BTreeMap<&str, u64>| {
        counts.iter().map(|(verdict, count)| format!(", {count} {verdict}")).collect::<String>()
    };
    match (&posts.by_verdict, &posts.sample) {
        (Some(counts), _) => format!("{}{}", posts.total, verdicts(counts)),
        (None, Some(sample)) => {
            let rows: u64 = sample.values().sum();
            format!("about {}; of the last {rows} ids{}; --exact counts", posts.total, verdicts(sample))
        }
        (None, None) => format!("about {}", posts.total),
    }
}

fn speed(rates: &Rates) -> String {
    let shown = |rate: Option<f64>, sign: bool| match rate {
        Some(rate) if sign => format!("{rate:+.1}"),
        Some(rate) => format!("{rate:.1}"),
        None => "unknown".to_owned(),
    };
    let (recorded, growth) = (rates.recorded_per_second, rates.queue_growth_per_second);
    format!("{} stored a second, queue {} a second", shown(recorded, false), shown(growth, true))
}

#[cfg(test)]
mod tests {
    use super::super::crew::tests::crew;
    use super::super::sample::Away;
    use super::*;
    use time::macros::datetime;
    use tokio::time::Instant;

    fn status() -> Status {
        Status {
            at: datetime!(2026-11-22 12:00:00 UTC),
            taken: Instant::now(),
            prefix: "post".to_owned(),
            paused: crew().paused(),
            queue: Some(Queue {
                name: "post_queue".to_owned(),
                ready: 7,
                consumers: 10,
                in_hand: 3,
                oldest_submitted_at: None,
                oldest_age_seconds: Some(90),
            }),
            workers: Some(crew()),
            dead_letters: Some(Dead {
                name: "post_dlq".to_owned(),
                ready: 3,
                by_class: Some([("expired", 1), ("permanent", 2)].into()),
                last_hour: Some(2),
                oldest_failed_at: None,
                oldest_age_seconds: Some(61),
                note: None,
            }),
            posts: None,
            rates: None,
            away: vec![Away { what: "MySQL", problem: "refused".to_owned() }],
        }
    }

    #[test]
    fn the_page_shows_what_is_known_and_names_what_is_away() {
        let text = page(&status());
        for part in [
            "paused        mysql since 2026-11-22T11:59:00Z, for 1m (1 of 2 workers): mysql_unreachable: refused",
            "queue         7 waiting in post_queue, 3 in hand, 10 consumers; the oldest was submitted 1m 30s ago",
            "w-2       7  paused: mysql          0        0  0s  0.1.0    builtin",
            "2 consumers belong to programs that did not answer",
            "3 in post_dlq, 1 expired, 2 permanent; the oldest failed 1m 1s ago, 2 within the last hour",
            "posts stored  unknown",
            "away          MySQL: refused",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("speed"), "a first sample has no rates");
    }

    #[test]
    fn what_is_amiss_with_the_review_is_said_under_the_workers() {
        let text = page(&status());
        for part in [
            "0.1.0    builtin, for 1m",
            "w-2 refused newer rules at 2026-11-22T11:59:30Z, 30s ago: site.toml:3:1: no",
            "w-2 does not ask the outside reviewer since 2026-11-22T11:59:50Z, for 10s (open): reviewer_status_500: no",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("w-1 refused") && !text.contains("w-1 does not"), "{text}");
    }

    #[test]
    fn a_growing_and_a_shrinking_queue_are_told_apart() {
        let rates =
            |growth| Rates { over_seconds: 1.0, recorded_per_second: Some(2.0), queue_growth_per_second: growth };
        assert_eq!(speed(&rates(Some(3.5))), "2.0 stored a second, queue +3.5 a second");
        assert_eq!(speed(&rates(Some(-3.5))), "2.0 stored a second, queue -3.5 a second");
        assert_eq!(speed(&rates(None)), "2.0 stored a second, queue unknown a second");
    }
}
