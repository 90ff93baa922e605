//! What an operation would do, shown before it is done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use uuid::Uuid;

use super::super::app::Pages;
use super::super::dead_letters::Query;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::Visit;
use super::super::work::Planned;
use crate::dlq::operation::Action;
use crate::dlq::operation::options::ReplayOptions;
use crate::dlq::operation::plan::{Plan, counted};
use crate::dlq::operation::request::Request;

/// The most groups, and the most refusals, on the page.
const LINES: usize = 50;
/// A replay of more dead letters than this begins with a canary of as many, unless somebody says otherwise.
const CANARY: usize = 20;

/// `templates/plan.html`.
#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    id: Uuid,
    query: Query,
    is_drop: bool,
    count: usize,
    canary: Option<usize>,
    unknown: Vec<String>,
    /// What a replay would do.
    plan: Option<Plan>,
    /// Why the table in MySQL could not be checked.
    unreachable: Option<String>,
}

impl Page for PlanPage {}

impl PlanPage {
    /// Whether a replay would help nobody.
    fn is_vain(&self) -> bool {
        let refused = self.plan.as_ref().and_then(|plan| plan.forecast.get("would_be_refused_again").copied());
        refused.and_then(|refused| usize::try_from(refused).ok()) == Some(self.count)
    }
}

/// Plans: `?action=replay` or `?action=drop`, and the filters.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let query = Query::read(&visit.query)?;
    let is_drop = visit.query.get("action") == Some("drop");
    let action = if is_drop { Action::Drop } else { Action::Replay(options(&pages)) };
    let dead = pages.0.dead.patient(pages.0.stop.clone());
    let preview = action.preview(&dead, query.filters.clone(), &pages.0.servers.database).await;
    let preview = preview.map_err(|error| Refusal::down("There is no plan", format!("{error:#}")))?;
    let request = Request { all: !query.filters.select(), filters: query.filters.clone(), rate: None, reason: None };
    let (count, unknown) = (preview.count, preview.unknown);
    let planned = Planned { action, request, words: query.in_words(), shown: preview.shown, unknown: unknown.clone() };
    let page = PlanPage {
        frame: visit.frame(if is_drop { "Drop dead letters" } else { "Replay dead letters" }),
        id: pages.0.plans.add(planned),
        query,
        is_drop,
        count,
        canary: (count > CANARY).then_some(CANARY),
        unknown,
        plan: preview.plan,
        unreachable: preview.unreachable,
    };
    visit.show(&page)
}

/// The options of a replay before anything is chosen, as the command's defaults are.
fn options(pages: &Pages) -> ReplayOptions {
    ReplayOptions {
        canary: None,
        abort_over: 10.0,
        wait: false,
        max_replays: 3,
        plan: false,
        rules: pages.0.rules.clone(),
        force: false,
    }
}

/// For the template.
fn in_words(counts: &BTreeMap<impl AsRef<str>, u32>) -> String {
    counted(counts)
}
