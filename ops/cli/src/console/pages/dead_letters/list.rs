//! Dead letters that match filters, page by page, from the snapshot that all viewers share.

use askama::Template;
use axum::extract::State;
use sluice_core::disposition::Class;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page};
use super::super::request::Visit;
use super::super::watch::{DeadLetterSet, Entry};
use super::query::{Query, encode};
use super::snapshot_note::SnapshotNote;
use crate::dlq::select::Filters;
use crate::times::shown;

/// How many are on a page.
const PAGE: usize = 50;

/// `templates/dead_letters.html`.
#[derive(Template)]
#[template(path = "dead_letters.html", blocks = ["list"])]
struct ListPage {
    frame: Frame,
    classes: [Class; Class::ALL.len()],
    query: Query,
    note: SnapshotNote,
    matching: Matching,
    from: usize,
}

/// What matches.
enum Matching {
    /// These.
    Found(Found),
    /// The next look looks for the text that they have to contain.
    Sought,
    /// There was no look yet.
    Unknown,
}

/// What was found.
struct Found {
    lines: Vec<DeadLetterLine>,
    /// How many match, on all pages.
    count: usize,
    total: u32,
    /// How many could not be looked through.
    without_line: usize,
}

/// One of them.
struct DeadLetterLine {
    id: String,
    title: String,
    class: Class,
    code: String,
    attempts: u32,
    replays: u32,
    last_failed: String,
}

impl Page for ListPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "list").then(|| self.as_list().render())
    }
}

/// Shows them.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let query = Query::read(&visit.query)?;
    let from = visit.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0);
    if query.filters.contains.as_ref().is_some_and(|text| pages.0.searches.ask(text)) {
        pages.0.snapshot.hurry();
    }
    let snapshot = pages.0.snapshot.look().await;
    let page = ListPage {
        frame: visit.frame("Dead letters"),
        classes: Class::ALL,
        note: SnapshotNote::new(snapshot.as_deref()),
        matching: Matching::new(snapshot.as_deref().and_then(|snapshot| snapshot.set.as_deref()), &query.filters, from),
        query,
        from,
    };
    visit.show(&page)
}

impl ListPage {
    fn before(&self) -> Option<usize> {
        (self.from > 0).then(|| self.from.saturating_sub(PAGE))
    }

    fn after(&self) -> Option<usize> {
        let next = self.from.saturating_add(PAGE);
        matches!(&self.matching, Matching::Found(found) if found.count > next).then_some(next)
    }
}

impl Matching {
    fn new(set: Option<&DeadLetterSet>, filters: &Filters, from: usize) -> Self {
        let Some(set) = set else { return Self::Unknown };
        let Some(text) = &filters.contains else { return Self::Found(Found::new(set, filters, from, |_| true)) };
        match set.containing(text) {
            Some(containing) => Self::Found(Found::new(set, filters, from, containing)),
            None => Self::Sought,
        }
    }
}

impl Found {
    fn new(set: &DeadLetterSet, filters: &Filters, from: usize, containing: impl Fn(&Entry<'_>) -> bool) -> Self {
        let limit = filters.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let (mut lines, mut count) = (Vec::new(), 0);
        for entry in set.entries().filter(|entry| passes(entry, filters) && containing(entry)).take(limit) {
            if (from..from.saturating_add(PAGE)).contains(&count) {
                lines.push(DeadLetterLine::new(&entry));
            }
            count += 1;
        }
        Self { lines, count, total: set.total, without_line: set.without_line() }
    }
}

impl DeadLetterLine {
    fn new(entry: &Entry<'_>) -> Self {
        Self {
            id: entry.id.to_owned(),
            title: entry.title.to_owned(),
            class: entry.class,
            code: entry.code.to_owned(),
            attempts: entry.attempts,
            replays: entry.replays,
            last_failed: shown(entry.last_failed_at),
        }
    }
}

/// Whether a line matches. What a dead letter contains, the look at its body has told.
fn passes(entry: &Entry<'_>, filters: &Filters) -> bool {
    let Filters { ids, class, code, fingerprint, since, until, contains: _, limit: _ } = filters;
    let at = entry.last_failed_at;
    let is = |given: &String| given == entry.id || given.eq_ignore_ascii_case(entry.id);
    (ids.is_empty() || ids.iter().any(is))
        && (class.is_empty() || class.contains(&entry.class))
        && (code.is_empty() || code.iter().any(|code| code == entry.code))
        && (fingerprint.is_empty() || fingerprint.iter().any(|fingerprint| fingerprint == entry.fingerprint))
        && since.is_none_or(|since| at.is_some_and(|at| at >= since))
        && until.is_none_or(|until| at.is_some_and(|at| at <= until))
}
