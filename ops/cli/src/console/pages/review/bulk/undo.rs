//! All decisions of an act are undone, each as a revision of its own.

use std::sync::Arc;

use axum::extract::{Path, State};

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Refusal, see_other};
use super::super::super::request::Who;
use super::super::asked::{self, failed};
use crate::console::access::Role;
use crate::review::decision::act;

/// `POST /review/acts/{id}/undo`. It goes on when its sender leaves; sent again, it does what is left.
pub(crate) async fn undo(State(pages): State<Pages>, Path(id): Path<String>, who: Who) -> Answered {
    let id = asked::id(&id)?;
    let (store, stop) = (Arc::clone(&pages.0.store), pages.0.stop.clone());
    let decisions = act::decisions(&store, id).await.map_err(|failure| failed(&pages, failure))?;
    let first = decisions.first().ok_or_else(|| Refusal::not_found("There is no act with this id.".to_owned()))?;
    if first.decided_by != who.name && !who.role.may(Role::Lead) {
        return Err(Refusal::role(who.role, Role::Lead));
    }
    let work = pages.0.tasks.spawn(async move {
        for decision in &decisions {
            if stop.is_cancelled() {
                break;
            }
            // Refused: it was undone, or decided on appeal, meanwhile.
            let _ = act::undo(&store, id, decision, (&who.name, asked::role(&who)), None).await?;
        }
        Ok(())
    });
    match work.await {
        Ok(Ok(())) => Ok(see_other(&format!("/review/acts/{id}"))),
        Ok(Err(failure)) => Err(failed(&pages, failure)),
        Err(_) => Err(Refusal::down("It was cut short", "Go back and send the form again: it goes on.".to_owned())),
    }
}
