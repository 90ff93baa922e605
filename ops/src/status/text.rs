//! The page for people.

use std::fmt::Write as _;

use time::Duration;

use super::sample::{Dead, Posts, Queue, Rates, Status};
use crate::times::{shown, span};
use crate::visible::line;

/// The whole page.
#[must_use]
pub(super) fn page(status: &Status) -> String {
    let mut page = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "{name:<14}{value}");
    };
    row("at", &shown(Some(status.at)));
    row("queue", &status.queue.as_ref().map_or_else(away, queue));
    row("dead letters", &status.dead_letters.as_ref().map_or_else(away, dead_letters));
    row("posts stored", &status.posts.as_ref().map_or_else(away, posts));
    if let Some(rates) = status.rates.as_ref().filter(|_| status.queue.is_some() || status.posts.is_some()) {
        row("speed", &speed(rates));
    }
    for away in &status.away {
        row("away", &line(&format!("{}: {}", away.what, away.problem)));
    }
    page
}

fn away() -> String {
    "unknown".to_owned()
}

fn queue(queue: &Queue) -> String {
    format!("{} waiting in {}, {} consumers", queue.ready, queue.name, queue.consumers)
}

fn dead_letters(dead: &Dead) -> String {
    let mut text = format!("{} in {}", dead.ready, dead.name);
    for (class, count) in dead.by_class.iter().flatten() {
        let _ = write!(text, ", {count} {class}");
    }
    if let Some(age) = dead.oldest_age_seconds {
        let _ = write!(text, "; the oldest failed {} ago", span(Duration::seconds(age)));
    }
    if let Some(note) = &dead.note {
        let _ = write!(text, " ({note})");
    }
    text
}

fn posts(posts: &Posts) -> String {
    let verdicts = posts.by_verdict.iter().map(|(verdict, count)| format!(", {count} {verdict}"));
    format!("{}{}", posts.total, verdicts.collect::<String>())
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
    use super::super::sample::Away;
    use super::*;
    use time::OffsetDateTime;
    use tokio::time::Instant;

    fn status() -> Status {
        Status {
            at: OffsetDateTime::UNIX_EPOCH,
            taken: Instant::now(),
            prefix: "post".to_owned(),
            queue: Some(Queue { name: "post_queue".to_owned(), ready: 7, consumers: 2 }),
            dead_letters: Some(Dead {
                name: "post_dlq".to_owned(),
                ready: 3,
                by_class: Some([("expired", 1), ("permanent", 2)].into()),
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
            "queue         7 waiting in post_queue, 2 consumers",
            "3 in post_dlq, 1 expired, 2 permanent; the oldest failed 1m 1s ago",
            "posts stored  unknown",
            "away          MySQL: refused",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("speed"), "a first sample has no rates");
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
