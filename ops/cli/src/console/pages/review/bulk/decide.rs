//! One decision for each of the posts that the preview has shown.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use sluice_core::failure::Failure;
use sluice_mysql::Store;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Refusal, see_other};
use super::super::super::request::{Fields, Who};
use super::super::acts::ruling;
use super::super::asked::{self, failed, no_case};
use super::shown::unpack;
use crate::review::decision::act::{self, ActRequest};

/// `POST /review/cases/{id}/same`. It goes on when its sender leaves; sent again, it does what is left.
pub(crate) async fn decide(State(pages): State<Pages>, Path(id): Path<String>, who: Who, form: Fields) -> Answered {
    let case = asked::id(&id)?;
    let (ruling, named) = ruling(&form)?;
    let (id, shown, note) = (asked::uuid(&form, "act")?, unpack(&form)?, asked::text(&form, "note")?);
    let policies = pages.0.policies.now();
    let message = policies.check(ruling, &named, asked::text(&form, "message")?.as_deref());
    let message = message.map_err(|error| Refusal::invalid(format!("{error}.")))?;
    let (store, stop, recheck) = (Arc::clone(&pages.0.store), pages.0.stop.clone(), pages.0.recheck);
    let case = store.case(case).await.map_err(|failure| failed(&pages, failure))?.ok_or_else(no_case)?;
    let asked = shown.len();
    let work = pages.0.tasks.spawn(async move {
        let waiting: HashSet<Uuid> = act::choose(&store, &case, &who.name).await?.into_iter().collect();
        let request = ActRequest {
            act: id,
            ruling,
            actor: asked::actor(&who, None),
            policies: &named,
            policyset: policies.set.as_deref(),
            message: message.as_deref(),
            note: note.as_deref(),
            recheck,
        };
        each(&store, &request, shown.into_iter().filter(|case| waiting.contains(case)), &stop).await
    });
    match work.await {
        Ok(Ok(())) => Ok(see_other(&format!("/review/acts/{id}?asked={asked}"))),
        Ok(Err(failure)) => Err(failed(&pages, failure)),
        Err(_) => Err(Refusal::down("It was cut short", "Go back and send the form again: it goes on.".to_owned())),
    }
}

/// Decides them, one after the other. Whoever was first keeps their case: the act's page says how many those are.
async fn each(
    store: &Store,
    request: &ActRequest<'_>,
    cases: impl Iterator<Item = Uuid>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    for case in cases {
        if stop.is_cancelled() {
            break;
        }
        let _ = request.decide(store, case).await?;
    }
    Ok(())
}
