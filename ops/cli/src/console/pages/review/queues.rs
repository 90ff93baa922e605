//! What waits, by queue; and the way to the next case.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use sluice_mysql::review::{CaseFilter, QueueCounts, StoredCase};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::app::Pages;
use super::super::dead_letters::encode;
use super::super::frame::{Answered, Frame, Page};
use super::super::request::{Visit, Who};
use super::asked::{self, failed};
use super::case::After;
use super::comfort::{Comfort, Stretch};
use crate::times::{shown, span};

/// The most cases of one's own that are listed.
const OWN: u32 = 10;

/// `templates/review.html`.
#[derive(Template)]
#[template(path = "review.html", blocks = ["waiting"])]
struct QueuesPage {
    frame: Frame,
    counts: Option<Arc<Result<Vec<QueueCounts>, String>>>,
    /// Cases that this person has claimed.
    own: Vec<StoredCase>,
    /// Work without a pause, where a break is offered.
    stretch: Option<Stretch>,
    /// The decision that was just made.
    after: Option<After>,
    /// None was free a moment ago.
    none: bool,
    queue: Option<String>,
    is_lead: bool,
    next: Uuid,
    comfort: Comfort,
}

impl Page for QueuesPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "waiting").then(|| self.as_waiting().render())
    }
}

impl QueuesPage {
    /// No case is given back if a decision is undone from here.
    fn other(&self) -> Option<(Uuid, Uuid)> {
        None
    }
}

/// All queues together.
struct Total {
    waiting: u64,
    claimed: u64,
    escalated: u64,
    oldest: Option<OffsetDateTime>,
    next_free_at: Option<OffsetDateTime>,
}

impl Total {
    fn of(queues: &[QueueCounts]) -> Self {
        let sum = |of: fn(&QueueCounts) -> u64| queues.iter().map(of).sum();
        Self {
            waiting: sum(|queue| queue.waiting),
            claimed: sum(|queue| queue.claimed),
            escalated: sum(|queue| queue.escalated),
            oldest: queues.iter().filter_map(|queue| queue.oldest).min(),
            next_free_at: queues.iter().filter_map(|queue| queue.next_free_at).min(),
        }
    }
}

/// Shows them.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit, who: Who, comfort: Comfort) -> Answered {
    let queue = asked::queue(&visit.query)?;
    let counts = pages.0.queues.look().await;
    let (mut own, mut after, mut stretch) = (Vec::new(), None, None);
    if !visit.asks_for("waiting") {
        let filter =
            CaseFilter { state: Some("claimed"), claimed_by: Some(&who.name), limit: OWN, ..CaseFilter::default() };
        own = pages.0.store.cases(&filter).await.map_err(|failure| failed(&pages, failure))?;
        after = After::read(&pages, &visit.query, &who).await?;
        stretch =
            Stretch::long(&pages.0.store, &who.name, &comfort).await.map_err(|failure| failed(&pages, failure))?;
    }
    visit.show(&QueuesPage {
        frame: visit.frame("Review"),
        counts,
        own,
        stretch,
        after,
        none: visit.query.get("none").is_some(),
        queue,
        is_lead: asked::role(&who) == sluice_core::moderation::Role::Lead,
        next: Uuid::now_v7(),
        comfort,
    })
}

/// For the template.
fn age(at: &Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| span(OffsetDateTime::now_utc() - at))
}
