//! Operations of this console, and past replays.

use askama::Template;
use axum::extract::State;
use sluice_mysql::PastReplay;
use time::OffsetDateTime;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page};
use super::super::request::Visit;
use super::super::work::Running;
use crate::replays::list::in_words;
use crate::times::shown;

/// The most past replays.
const LINES: u32 = 50;

/// `templates/operations.html`.
#[derive(Template)]
#[template(path = "operations.html", blocks = ["operations"])]
struct OperationsPage {
    frame: Frame,
    running: Vec<Running>,
    past: Vec<PastReplay>,
    problem: Option<String>,
}

impl Page for OperationsPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "operations").then(|| self.as_operations().render())
    }
}

/// Shows them.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let store = &pages.0.store;
    let read = store.replays(&pages.0.dead.prefix, "", LINES).await;
    let (past, problem) = match read {
        Ok(past) => (past, None),
        Err(failure) => (Vec::new(), Some(store.with_context(failure).to_string())),
    };
    let running = pages.0.work.all();
    let past = past.into_iter().filter(|replay| running.iter().all(|running| running.id != replay.id)).collect();
    visit.show(&OperationsPage { frame: visit.frame("Operations"), running, past, problem })
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}
