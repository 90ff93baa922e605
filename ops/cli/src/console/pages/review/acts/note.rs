//! A note for the team.

use axum::extract::{Path, State};

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Refusal, see_other};
use super::super::super::request::{Fields, Who};
use super::super::asked::{self, failed, no_case};

/// `POST /review/cases/{id}/notes`.
pub(crate) async fn note(State(pages): State<Pages>, Path(id): Path<String>, who: Who, form: Fields) -> Answered {
    let (case, note) = (asked::id(&id)?, asked::uuid(&form, "id")?);
    let text = asked::text(&form, "text")?.ok_or_else(|| Refusal::invalid("text: it is empty.".to_owned()))?;
    match pages.0.store.add_note(note, case, &who.name, &text).await.map_err(|failure| failed(&pages, failure))? {
        true => Ok(see_other(&format!("/review/cases/{case}#notes"))),
        false => Err(no_case()),
    }
}
