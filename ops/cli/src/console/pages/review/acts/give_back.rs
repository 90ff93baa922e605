//! A claimed case is given back, in three ways.

use axum::extract::{Path, State};
use sluice_mysql::review::Release;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, see_other};
use super::super::super::request::{Fields, Visit, Who};
use super::super::asked::{self, failed, no_case};
use super::super::conflict;
use super::super::next::Onward;

/// What the id of the note on an escalated case is made of, beside the claim's token.
const WHY: &[u8] = b"escalated";

/// Of one form.
type Asked = (State<Pages>, Path<String>, Visit, Who, Fields);

/// `POST /review/cases/{id}/skip`: the next case comes.
pub(crate) async fn skip(pages: State<Pages>, id: Path<String>, visit: Visit, who: Who, form: Fields) -> Answered {
    give_back((pages, id, visit, who, form), Release::Skipped, "skipped").await
}

/// `POST /review/cases/{id}/escalate`: the next case comes.
pub(crate) async fn escalate(pages: State<Pages>, id: Path<String>, visit: Visit, who: Who, form: Fields) -> Answered {
    give_back((pages, id, visit, who, form), Release::Escalated, "escalated").await
}

/// `POST /review/cases/{id}/release`: no other case comes.
pub(crate) async fn release(pages: State<Pages>, id: Path<String>, visit: Visit, who: Who, form: Fields) -> Answered {
    give_back((pages, id, visit, who, form), Release::Released, "released").await
}

async fn give_back((State(pages), Path(id), visit, who, form): Asked, how: Release, outcome: &str) -> Answered {
    let case = asked::id(&id)?;
    let (token, note) = (asked::uuid(&form, "claim")?, asked::text(&form, "note")?);
    let onward = if how == Release::Released { None } else { Some(Onward::read(&form)?) };
    let store = &pages.0.store;
    let released = store.release(case, asked::actor(&who, Some(token)), how).await;
    match released.map_err(|failure| failed(&pages, failure))? {
        None => return Err(no_case()),
        Some(Err(refused)) if !is_repeated(&pages, case, token, outcome).await => {
            let queue = onward.as_ref().and_then(Onward::queue);
            return conflict::show(&pages, &visit, &who, case, refused, queue).await;
        }
        Some(_) => {}
    }
    if let Some(note) = note {
        let added = store.add_note(Uuid::new_v5(&token, WHY), case, &who.name, &note).await;
        added.map_err(|failure| failed(&pages, failure))?;
    }
    match onward {
        Some(onward) => onward.go(&pages, &who, None).await,
        None => Ok(see_other("/review")),
    }
}

/// Whether the answer to the same form may have been lost: the claim ended in this very way.
async fn is_repeated(pages: &Pages, case: Uuid, token: Uuid, outcome: &str) -> bool {
    let past = pages.0.store.claim_of(token).await.ok().flatten();
    past.is_some_and(|past| (past.case, past.outcome.as_deref()) == (case, Some(outcome)))
}
