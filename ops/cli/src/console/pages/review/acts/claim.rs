//! Claiming a certain case, and keeping one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use sluice_mysql::review::Ask;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, see_other};
use super::super::super::request::{Fields, Visit, Who};
use super::super::asked::{self, failed, no_case};
use super::super::conflict;

/// `POST /review/cases/{id}/claim`.
pub(crate) async fn claim(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    form: Fields,
) -> Answered {
    let case = asked::id(&id)?;
    let ask = Ask { by: &who.name, role: asked::role(&who), token: asked::uuid(&form, "claim")?, queue: None };
    match pages.0.store.claim(case, ask).await.map_err(|failure| failed(&pages, failure))? {
        Some(Ok(())) => Ok(see_other(&format!("/review/cases/{case}"))),
        Some(Err(refused)) => conflict::show(&pages, &visit, &who, case, refused, None).await,
        None => Err(no_case()),
    }
}

/// `POST /review/cases/{id}/extend`: the person is at work on it. The script is told by the status alone.
pub(crate) async fn extend(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    form: Fields,
) -> Answered {
    let case = asked::id(&id)?;
    let actor = asked::actor(&who, Some(asked::uuid(&form, "claim")?));
    match pages.0.store.extend_claim(case, actor).await.map_err(|failure| failed(&pages, failure))? {
        Some(Ok(_)) if visit.asks_for("lease") => Ok(StatusCode::NO_CONTENT.into_response()),
        Some(Ok(_)) => Ok(see_other(&format!("/review/cases/{case}"))),
        Some(Err(refused)) => conflict::show(&pages, &visit, &who, case, refused, None).await,
        None => Err(no_case()),
    }
}
