//! The result, for people and for programs.

use serde::Serialize;

use super::places::Gaps;
use super::reconciliation::Reconciliation;
use super::tally::Tally;
use sluice_runtime::output;
use sluice_runtime::table::{lines, right, table};

/// How many ids of each kind are named in a report, unless all are asked for.
pub(super) const NAMED: usize = 100;

/// The outcome of all accepted ids.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    accepted: u64,
    repeated_receipts: u64,
    recorded: u64,
    queued: u64,
    /// How the queued ones were found: always by count.
    queued_by: &'static str,
    dead: u64,
    dropped: u64,
    pruned: u64,
    missing: u64,
    duplicate: u64,
    claimed: u64,
    missing_ids: Vec<String>,
    duplicate_ids: Vec<String>,
    id_conflict: u64,
    id_conflict_ids: Vec<String>,
    claimed_ids: Vec<String>,
    held_without_case: u64,
    held_without_case_ids: Vec<String>,
    decisions_not_in_outbox: u64,
    #[serde(skip)]
    consumers: u32,
}

impl Report {
    /// The report on a reconciliation whose last round gave this tally. It names at most `most` ids of each kind.
    #[must_use]
    pub(super) fn new(reconciliation: &Reconciliation, tally: Tally, gaps: &Gaps, repeated: u64, most: usize) -> Self {
        let named = |mut ids: Vec<sluice_core::post::PostId>| {
            ids.sort_unstable();
            ids.iter().take(most).map(ToString::to_string).collect()
        };
        let Tally { recorded, dead, dropped, pruned, queued, missing, duplicate, id_conflict, claimed, consumers } =
            tally;
        Self {
            accepted: reconciliation.accepted(),
            repeated_receipts: repeated,
            recorded,
            queued,
            queued_by: "count",
            dead,
            dropped,
            pruned,
            missing,
            duplicate,
            claimed,
            missing_ids: if missing == 0 { Vec::new() } else { named(reconciliation.missing()) },
            duplicate_ids: named(reconciliation.duplicates()),
            id_conflict,
            id_conflict_ids: named(reconciliation.conflicts()),
            claimed_ids: named(reconciliation.claimed()),
            held_without_case: gaps.held.len() as u64,
            held_without_case_ids: named(gaps.held.clone()),
            decisions_not_in_outbox: gaps.decisions,
            consumers,
        }
    }

    /// Whether every post is in one place, and people's review lacks nothing of it.
    #[must_use]
    pub(super) fn is_whole(&self) -> bool {
        self.missing == 0 && self.duplicate == 0 && self.held_without_case == 0 && self.decisions_not_in_outbox == 0
    }

    /// Prints it.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(super) fn print(&self, json: bool) -> std::io::Result<()> {
        output::print(|out| if json { output::json_line(out, self) } else { write!(out, "{}", self.text()) })
    }

    fn text(&self) -> String {
        let mut columns = table(&[]);
        for (name, count) in [
            ("accepted", self.accepted),
            ("recorded", self.recorded),
            ("queued", self.queued),
            ("dead", self.dead),
            ("dropped", self.dropped),
            ("pruned", self.pruned),
            ("missing", self.missing),
            ("duplicate", self.duplicate),
        ] {
            columns.add_row([name.to_owned(), count.to_string()]);
        }
        right(&mut columns, &[1]);
        let mut text = lines(columns);
        if self.repeated_receipts > 0 {
            text.push_str(&format!("({} receipts repeat an earlier one)\n", self.repeated_receipts));
        }
        if self.queued > 0 {
            let posts = posts(self.queued);
            text.push_str(&format!("({posts} queued by count: RabbitMQ does not show which ones)\n"));
        }
        if self.dead > 0 {
            let posts = posts(self.dead);
            text.push_str(&format!(
                "({posts} dead according to dead letters, and any publisher can write their headers and bodies)\n"
            ));
        }
        text.push('\n');
        if self.claimed > 0 {
            let posts = posts(self.claimed);
            text.push_str(&format!(
                "{posts} claimed by dead letters that neither a worker nor RabbitMQ dead-lettered, or whose ids \
                 differ; these account for nothing:{}\n",
                list(&self.claimed_ids)
            ));
        }
        if self.is_whole() {
            text.push_str("every accepted post is accounted for\n");
        }
        if self.missing > 0 {
            text.push_str(&self.about_missing());
        }
        if self.duplicate > 0 {
            let posts = posts(self.duplicate);
            text.push_str(&format!(
                "{posts} recorded and still among the dead letters:{}\n",
                list(&self.duplicate_ids)
            ));
        }
        if self.id_conflict > 0 {
            let count = self.id_conflict;
            let ids = if count == 1 { "1 recorded id was".to_owned() } else { format!("{count} recorded ids were") };
            text.push_str(&format!(
                "{ids} also given to another post, which is in the dead-letter queue; see `sluice dlq list --code \
                 id_conflict`:{}\n",
                list(&self.id_conflict_ids)
            ));
        }
        if self.held_without_case > 0 {
            let posts = posts(self.held_without_case);
            text.push_str(&format!(
                "{posts} held and without a case, so nobody decides; `sluice review sweep` opens what is missing:{}\n",
                list(&self.held_without_case_ids)
            ));
        }
        match self.decisions_not_in_outbox {
            0 => {}
            1 => text.push_str("1 decision is not in the outbox, so the forum is never told\n"),
            many => text.push_str(&format!("{many} decisions are not in the outbox, so the forum is never told\n")),
        }
        text
    }

    fn about_missing(&self) -> String {
        let mut text = format!("{} missing", posts(self.missing));
        if self.queued > 0 {
            text.push_str(&format!(", and {} of those below wait in the queue (known by count only)", self.queued));
        }
        if self.consumers > 0 {
            text.push_str(&format!(
                "; {} consumers are working, and what they have in flight cannot be seen: --settle gives them more \
                 time",
                self.consumers
            ));
        }
        text.push_str(&format!(":{}\n", list(&self.missing_ids)));
        text
    }
}

fn posts(count: u64) -> String {
    if count == 1 { "1 post is".to_owned() } else { format!("{count} posts are") }
}

fn list(ids: &[String]) -> String {
    ids.iter().map(|id| format!("\n  {id}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::post::PostId;

    fn report(recorded: &[PostId], dead: &[PostId], nowhere: usize, ready: u32, consumers: u32) -> Report {
        let lost = (0..nowhere).map(|_| PostId::new());
        let mut reconciliation = Reconciliation::new(recorded.iter().chain(dead).copied().chain(lost).collect());
        reconciliation.recorded(recorded.iter().copied());
        reconciliation.dead(dead.iter().copied());
        Report::new(&reconciliation, reconciliation.tally(ready, consumers), &Gaps::default(), 0, NAMED)
    }

    #[test]
    fn all_in_one_place_is_said_in_one_sentence() {
        let report = report(&[PostId::new()], &[PostId::new()], 2, 2, 1);
        assert!(report.is_whole());
        assert!(report.text().ends_with("\nevery accepted post is accounted for\n"), "{}", report.text());
        assert!(report.missing_ids.is_empty(), "what is queued is not named as missing");
    }

    #[test]
    fn missing_and_duplicate_posts_are_counted_and_named() {
        let both = PostId::new();
        let report = report(&[both], &[both], 150, 0, 3);
        assert!(!report.is_whole());
        assert_eq!((report.missing_ids.len(), report.duplicate_ids.len()), (NAMED, 1));
        let text = report.text();
        assert!(text.contains("150 posts are missing; 3 consumers are working"), "{text}");
        assert!(text.contains(&format!("1 post is recorded and still among the dead letters:\n  {both}\n")), "{text}");
        assert!(!text.contains("accounted for"));
    }

    #[test]
    fn a_held_post_without_a_case_and_a_decision_without_an_event_are_named_and_nothing_is_whole() {
        let held = PostId::new();
        let mut reconciliation = Reconciliation::new([held].into());
        reconciliation.recorded([held]);
        let gaps = Gaps { held: vec![held], decisions: 2, among: Vec::new() };
        let report = Report::new(&reconciliation, reconciliation.tally(0, 0), &gaps, 0, NAMED);
        let text = report.text();
        assert!(!report.is_whole() && !text.contains("accounted for"), "{text}");
        assert!(
            text.contains("1 post is held and without a case") && text.contains(&format!(":\n  {held}\n")),
            "{text}"
        );
        assert!(text.contains("2 decisions are not in the outbox"), "{text}");
    }

    #[test]
    fn the_object_for_programs_has_the_agreed_keys() {
        let json = serde_json::to_value(report(&[], &[], 0, 0, 0)).expect("a struct of numbers and strings");
        let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
        let agreed = "accepted claimed claimed_ids dead decisions_not_in_outbox dropped duplicate duplicate_ids \
                      held_without_case held_without_case_ids id_conflict id_conflict_ids missing missing_ids pruned queued \
                      queued_by recorded repeated_receipts";
        assert_eq!(keys, agreed.split(' ').collect::<Vec<_>>());
    }
}
