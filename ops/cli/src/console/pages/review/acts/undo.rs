//! A decision is undone; its case is the undoer's again.

use axum::extract::{Path, State};
use sluice_mysql::review::{Release, UndoRequest};

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Refusal, see_other};
use super::super::super::request::{Fields, Visit, Who};
use super::super::asked::{self, failed};
use super::super::conflict;

/// `POST /review/decisions/{id}/undo`. The case that the person was shown meanwhile is given back: they look at one.
pub(crate) async fn undo(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    form: Fields,
) -> Answered {
    let (decision, id) = (asked::id(&id)?, asked::uuid(&form, "undo")?);
    let (other, claim) = (asked::maybe_uuid(&form, "other")?, asked::maybe_uuid(&form, "claim")?);
    let queue = asked::queue(&form)?;
    let store = &pages.0.store;
    let gone = || Refusal::not_found("There is no decision with this id.".to_owned());
    let undone = store.decision(decision).await.map_err(|failure| failed(&pages, failure))?.ok_or_else(gone)?;
    let request = UndoRequest { id, decision, actor: asked::actor(&who, Some(id)), note: None, act: None };
    match store.undo(&request).await.map_err(|failure| failed(&pages, failure))? {
        Some(Ok(_)) => {}
        Some(Err(refused)) => {
            return conflict::show(&pages, &visit, &who, undone.case, refused, queue.as_deref()).await;
        }
        None => return Err(gone()),
    }
    if let (Some(other), Some(_)) = (other, claim) {
        // Refused: it is not theirs any more.
        let released = store.release(other, asked::actor(&who, claim), Release::Released).await;
        let _ = released.map_err(|failure| failed(&pages, failure))?;
    }
    Ok(see_other(&format!("/review/cases/{}", undone.case)))
}
