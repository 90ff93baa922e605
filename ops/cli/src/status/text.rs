//! The page for people, and its parts for the terminal of `--watch`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sluice_mysql::review::{ReviewCounts, TimeToDecision};
use time::{Duration, OffsetDateTime};

use super::known::{Dead, Posts, Queue, Rates, Review, Status, Unreachable};
use super::worker_table::{notes, table_of};
use super::workers::PausedWorkers;
use crate::times::{shown, span};
use crate::visible::line;

/// One fact: its name and its value, on one line without hidden characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// At most 12 characters.
    pub(crate) name: &'static str,
    /// What is known.
    pub(crate) value: String,
}

/// The whole page.
#[must_use]
pub(super) fn page(status: &Status) -> String {
    let mut page = format!("{:<14}{}\n", "at", shown(Some(status.at)));
    for Fact { name, value } in pause(status).into_iter().chain(facts(status)).chain(unreachable(status)) {
        let _ = writeln!(page, "{name:<14}{value}");
    }
    if let Some(workers) = &status.workers {
        page.push_str(&table_of(workers, status));
    }
    notes(status).iter().for_each(|note| _ = writeln!(page, "\n{note}"));
    page
}

/// Counts and rates.
pub(crate) fn facts(status: &Status) -> Vec<Fact> {
    let unknown = || "unknown".to_owned();
    let mut facts = vec![
        Fact { name: "queue", value: status.queue.as_ref().map_or_else(unknown, queue) },
        Fact { name: "dead letters", value: status.dead_letters.as_ref().map_or_else(unknown, dead_letters) },
        Fact { name: "posts stored", value: status.posts.as_ref().map_or_else(unknown, posts) },
    ];
    if let Some(value) = status.review.as_ref().and_then(|known| review(known, status.at)) {
        facts.push(Fact { name: "review", value });
    }
    facts.extend(status.cluster.iter().map(|value| Fact { name: "cluster", value: value.clone() }));
    if let Some(rates) = status.rates.as_ref().filter(|_| status.queue.is_some() || status.posts.is_some()) {
        facts.push(Fact { name: "speed", value: speed(rates) });
    }
    facts
}

/// What is unreachable, since when and why.
pub(crate) fn unreachable(status: &Status) -> Vec<Fact> {
    let told = |unreachable: &Unreachable| {
        let Unreachable { what, since, problem } = unreachable;
        let lasts = span(status.at - *since);
        format!("{what} since {}, for {lasts}: {}", shown(Some(*since)), line(problem))
    };
    status.unreachable.iter().map(|unreachable| Fact { name: "unreachable", value: told(unreachable) }).collect()
}

/// What workers wait for, if any of them does: `mysql since 16:00, for 2m 3s (4 of 4 workers): …`
pub(crate) fn pause(status: &Status) -> Option<Fact> {
    let PausedWorkers { dependency, since, workers, code, message } = status.paused.as_ref()?;
    let all = status.workers.as_ref().map_or(0, |workers| workers.members().len());
    let lasts = span(status.at - *since);
    let since = shown(Some(*since));
    let value = format!("{dependency} since {since}, for {lasts} ({workers} of {all} workers): {code}: {message}");
    Some(Fact { name: "paused", value: line(&value) })
}

fn queue(queue: &Queue) -> String {
    let Queue { ready, name, consumers, in_flight, .. } = queue;
    let mut text = format!("{ready} waiting in {name}, {in_flight} in flight, {consumers} consumers");
    if let Some(age) = queue.oldest_age_seconds {
        let _ = write!(text, "; the oldest was submitted {} ago", span(Duration::seconds(age)));
    }
    text
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
    let stored = match (&posts.by_verdict, &posts.sample) {
        (Some(counts), _) => format!("{}{}", posts.total, verdicts(counts)),
        (None, Some(sample)) => {
            let rows: u64 = sample.values().sum();
            format!("about {}; of the last {rows} ids{}; --exact counts all", posts.total, verdicts(sample))
        }
        (None, None) => format!("about {}", posts.total),
    };
    if posts.pruned == 0 { stored } else { format!("{stored}; {} were pruned", posts.pruned) }
}

fn of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What waits for people, and for the forum; none where nothing does.
fn review(known: &Review, now: OffsetDateTime) -> Option<String> {
    let ReviewCounts { waiting, escalated, claimed, oldest, unnumbered, undelivered } = &known.counts;
    let TimeToDecision { decisions, p50, .. } = known.time_to_decision;
    let mut parts = Vec::new();
    if waiting + escalated + claimed > 0 {
        parts.push(format!("{} waiting, {escalated} escalated, {claimed} claimed", of(*waiting, "case", "cases")));
    }
    parts.extend(oldest.map(|oldest| format!("the oldest was opened {} ago", span(now - oldest))));
    if *unnumbered > 0 {
        parts.push(format!("{} not in the feed yet", of(*unnumbered, "event", "events")));
    }
    if *undelivered > 0 {
        parts.push(format!("{} outstanding", of(*undelivered, "delivery", "deliveries")));
    }
    if decisions > 0 {
        let took = span(Duration::seconds_f64(p50));
        parts.push(format!(
            "half of the last 24 hours' {} within {took}",
            of(decisions as u64, "decision", "decisions")
        ));
    }
    if parts.is_empty() { None } else { Some(parts.join("; ")) }
}

fn speed(rates: &Rates) -> String {
    let shown = |rate: Option<f64>, sign: bool| match rate {
        Some(rate) if sign => format!("{rate:+.1}"),
        Some(rate) => format!("{rate:.1}"),
        None => "unknown".to_owned(),
    };
    let (accepted, stored) = (shown(rates.accepted_per_second, false), shown(rates.recorded_per_second, false));
    let growth = shown(rates.queue_growth_per_second, true);
    format!("{accepted} accepted, {stored} stored a second; queue {growth} a second")
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::workers::tests::workers;
    use super::*;
    use time::macros::datetime;
    use tokio::time::Instant;

    /// Two workers, and no MySQL.
    pub(in super::super) fn status() -> Status {
        Status {
            at: datetime!(2026-11-22 12:00:00 UTC),
            taken: Instant::now(),
            prefix: "post".to_owned(),
            paused: workers().paused(),
            queue: Some(Queue {
                name: "post_queue".to_owned(),
                ready: 7,
                consumers: 10,
                in_flight: 3,
                oldest_submitted_at: None,
                oldest_age_seconds: Some(90),
            }),
            workers: Some(workers()),
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
            review: None,
            cluster: Vec::new(),
            rates: None,
            unreachable: vec![Unreachable {
                what: "MySQL",
                since: datetime!(2026-11-22 11:59:58 UTC),
                problem: "refused".to_owned(),
            }],
        }
    }

    #[test]
    fn the_page_shows_what_is_known_and_names_what_is_unreachable() {
        let text = page(&status());
        for part in [
            "paused        mysql since 2026-11-22T11:59:00Z, for 1m (1 of 2 workers): mysql_unreachable: refused",
            "queue         7 waiting in post_queue, 3 in flight, 10 consumers; the oldest was submitted 1m 30s ago",
            "w-2       7  paused: mysql          0          0         -      -  0s  0.1.0    builtin",
            "2 consumers belong to programs that did not answer",
            "3 in post_dlq, 1 expired, 2 permanent; the oldest failed 1m 1s ago, 2 within the last hour",
            "posts stored  unknown",
            "unreachable   MySQL since 2026-11-22T11:59:58Z, for 2s: refused",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("speed"), "a first sample has no rates");
    }

    #[test]
    fn what_waits_for_people_is_shown_where_anything_does() {
        let counts = ReviewCounts::default();
        let page_of = |counts| page(&Status { review: Some(Review { counts, ..Review::default() }), ..status() });
        assert!(!page_of(counts.clone()).contains("\nreview "));
        let oldest = Some(status().at - Duration::hours(3));
        let waiting = page_of(ReviewCounts { waiting: 12, claimed: 2, oldest, undelivered: 4, ..counts.clone() });
        let told = "review        12 cases waiting, 0 escalated, 2 claimed; the oldest was opened 3h ago; \
                    4 deliveries outstanding";
        assert!(waiting.contains(told), "{waiting}");
        let events = page_of(ReviewCounts { unnumbered: 1, ..counts.clone() });
        assert!(events.contains("review        1 event not in the feed yet"), "{events}");
        let time_to_decision = TimeToDecision { decisions: 34, p50: 252.4, p90: 900.0, p99: 4000.0 };
        let decided = page(&Status { review: Some(Review { counts, time_to_decision }), ..status() });
        assert!(decided.contains("review        half of the last 24 hours' 34 decisions within 4m 12s"), "{decided}");
    }

    #[test]
    fn a_growing_and_a_shrinking_queue_are_told_apart() {
        let speed_of = |growth| {
            speed(&Rates {
                over_seconds: 1.0,
                accepted_per_second: None,
                recorded_per_second: Some(2.0),
                queue_growth_per_second: growth,
                workers: Vec::new(),
            })
        };
        assert_eq!(speed_of(Some(3.5)), "unknown accepted, 2.0 stored a second; queue +3.5 a second");
        assert_eq!(speed_of(Some(-3.5)), "unknown accepted, 2.0 stored a second; queue -3.5 a second");
        assert_eq!(speed_of(None), "unknown accepted, 2.0 stored a second; queue unknown a second");
    }
}
