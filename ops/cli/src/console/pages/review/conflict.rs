//! Somebody else was first: who, when and what, and the next case in one key.

use askama::Template;
use axum::http::StatusCode;
use sluice_core::moderation::CaseKind;
use sluice_core::moderation::act::Refusal as Refused;
use sluice_mysql::review::{Decision, Opinion, StoredCase};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::{Visit, Who};
use super::asked::{failed, no_case};
use crate::console::access::Role;
use crate::times::shown;

/// `templates/conflict.html`.
#[derive(Template)]
#[template(path = "conflict.html")]
struct ConflictPage {
    frame: Frame,
    refused: Refused,
    case: StoredCase,
    /// The decision that stands; none while they may review it a second time.
    last: Option<Decision>,
    /// The second opinion that closed the case.
    opinion: Option<Opinion>,
    next: Uuid,
    queue: Option<String>,
}

impl Page for ConflictPage {}

/// Shows why an act on this case was refused. `queue` is the one that the person keeps to.
///
/// # Errors
/// 403 where it takes a lead.
pub(super) async fn show(
    pages: &Pages,
    visit: &Visit,
    who: &Who,
    case: Uuid,
    refused: Refused,
    queue: Option<&str>,
) -> Answered {
    if matches!(refused, Refused::NeedsLead | Refused::NotYours) {
        return Err(Refusal::role(who.role, Role::Lead));
    }
    let store = &pages.0.store;
    let case = store.case(case).await.map_err(|failure| failed(pages, failure))?.ok_or_else(no_case)?;
    let last = store.decisions_for(case.post, Some(&who.name)).await.map_err(|failure| failed(pages, failure))?;
    let last = last.and_then(|mut decisions| decisions.pop());
    let opinion = match (case.opinion, &last) {
        (Some(opinion), Some(last)) if last.case != case.case => {
            store.opinion(opinion).await.map_err(|failure| failed(pages, failure))?
        }
        _ => None,
    };
    let (next, queue) = (Uuid::now_v7(), queue.map(str::to_owned));
    let page = ConflictPage { frame: visit.frame("Somebody was first"), refused, case, last, opinion, next, queue };
    visit.show_as(StatusCode::CONFLICT, &page)
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}
