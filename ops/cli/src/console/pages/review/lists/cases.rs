//! Cases, in the order in which they are handed out.

use askama::Template;
use axum::extract::State;
use sluice_core::moderation::CaseKind;
use sluice_mysql::review::{CaseFilter, StoredCase};
use time::OffsetDateTime;
use url::form_urlencoded;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::dead_letters::encode;
use super::super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::super::request::Visit;
use super::super::asked::{self, failed};
use super::super::comfort::Comfort;
use crate::times::span;

/// The most cases of a page.
const LINES: u32 = 100;
/// The states that can be asked for.
const STATES: [&str; 5] = ["waiting", "claimed", "escalated", "decided", "withdrawn"];

/// `templates/cases.html`.
#[derive(Template)]
#[template(path = "cases.html", blocks = ["cases"])]
struct CasesPage {
    frame: Frame,
    /// Only appeals.
    appeals: bool,
    states: [&'static str; STATES.len()],
    state: Option<&'static str>,
    queue: Option<String>,
    cases: Vec<StoredCase>,
    /// Whether it is a later page than the first.
    is_later: bool,
    /// The last case of this page, if there are more.
    next: Option<Uuid>,
    comfort: Comfort,
}

impl Page for CasesPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "cases").then(|| self.as_cases().render())
    }
}

impl CasesPage {
    /// The filters, for an address.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("state", self.state), ("queue", self.queue.as_deref())] {
            value.iter().for_each(|value| _ = query.append_pair(name, value));
        }
        query.finish()
    }
}

/// `GET /review/cases`: of one state, those that wait where none is named.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit, comfort: Comfort) -> Answered {
    list(&pages, &visit, comfort, false).await
}

/// `GET /review/appeals`: of all states, where none is named.
pub(crate) async fn appeals(State(pages): State<Pages>, visit: Visit, comfort: Comfort) -> Answered {
    list(&pages, &visit, comfort, true).await
}

async fn list(pages: &Pages, visit: &Visit, comfort: Comfort, appeals: bool) -> Answered {
    let queue = asked::queue(&visit.query)?;
    let state = match visit.query.get("state") {
        Some(asked) => {
            let known = STATES.into_iter().find(|state| *state == asked);
            Some(known.ok_or_else(|| Refusal::invalid(format!("state: one of {}.", STATES.join(", "))))?)
        }
        None if appeals => None,
        None => Some("waiting"),
    };
    let after = asked::maybe_uuid(&visit.query, "after")?;
    let filter = CaseFilter {
        state,
        kind: appeals.then_some(CaseKind::Appeal),
        queue: queue.as_deref(),
        after,
        limit: LINES + 1,
        ..CaseFilter::default()
    };
    let mut cases = pages.0.store.cases(&filter).await.map_err(|failure| failed(pages, failure))?;
    let lines = usize::try_from(LINES).unwrap_or(usize::MAX);
    let more = cases.len() > lines;
    cases.truncate(lines);
    let next = cases.last().filter(|_| more).map(|last| last.case);
    let frame = visit.frame(if appeals { "Appeals" } else { "Cases" });
    let is_later = after.is_some();
    visit.show(&CasesPage { frame, appeals, states: STATES, state, queue, cases, is_later, next, comfort })
}

/// For the template.
fn age(at: &OffsetDateTime) -> String {
    span(OffsetDateTime::now_utc() - *at)
}

/// For the template: how a state looks.
fn mark(state: &str) -> &'static str {
    match state {
        "claimed" => "good",
        "escalated" => "paused",
        _ => "",
    }
}
