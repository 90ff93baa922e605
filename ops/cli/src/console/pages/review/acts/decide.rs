//! A decision, and on to the next case.

use axum::extract::{Path, State};
use sluice_core::moderation::act::Refusal as Refused;
use sluice_mysql::review::{DecisionRequest, Ruled, Ruling};

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Refusal};
use super::super::super::request::{Fields, Visit, Who};
use super::super::asked::{self, failed, no_case};
use super::super::conflict;
use super::super::next::Onward;

/// What `Store::decide` says of an id that is another decision's.
const TAKEN: &str = "decision_id_taken";

/// `POST /review/cases/{id}/decide`.
pub(crate) async fn decide(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    form: Fields,
) -> Answered {
    let case = asked::id(&id)?;
    let onward = Onward::read(&form)?;
    let (ruling, named) = ruling(&form)?;
    let (decision, claim) = (asked::uuid(&form, "decision")?, asked::maybe_uuid(&form, "claim")?);
    let (message, note) = (asked::text(&form, "message")?, asked::text(&form, "note")?);
    let store = &pages.0.store;
    let known = store.decision(decision).await.map_err(|failure| failed(&pages, failure))?;
    let policies = pages.0.policies.now();
    let message = match policies.check(ruling, &named, message.as_deref()) {
        Ok(message) => message,
        // What was decided once stays so, even if the policies have changed since.
        Err(_) if known.is_some() => message,
        Err(error) => return Err(Refusal::invalid(format!("{error}."))),
    };
    let request = DecisionRequest {
        id: decision,
        case,
        ruling,
        actor: asked::actor(&who, claim),
        policies: &named,
        policyset: policies.set.as_deref(),
        message: message.as_deref(),
        note: note.as_deref(),
        act: None,
        recheck: pages.0.recheck,
        expected: revision(&form)?,
    };
    let refused = match store.rule(&request).await {
        Ok(Some(Ok(Ruled::Decision(decision)))) => return onward.go(&pages, &who, Some(decision.decision)).await,
        Ok(Some(Ok(Ruled::Opinion(opinion)))) => return onward.go(&pages, &who, Some(opinion.opinion)).await,
        Ok(Some(Err(refused))) => refused,
        Ok(None) => return Err(no_case()),
        // The same form was sent twice, with two buttons: the first one counts.
        Err(failure) if failure.code == TAKEN => Refused::Decided,
        Err(failure) => return Err(failed(&pages, failure)),
    };
    conflict::show(&pages, &visit, &who, case, refused, onward.queue()).await
}

/// What a form says of a post, and why: one button approves, others reject with a reason of their own, one with those
/// that are ticked.
///
/// # Errors
/// 422 when it says neither or both.
pub(crate) fn ruling(form: &Fields) -> Result<(Ruling, Vec<String>), Refusal> {
    let named = form.all("reject").chain(form.all("policy")).map(str::to_owned).collect();
    match (form.get("ruling"), form.get("reject")) {
        (Some("approve"), None) => Ok((Ruling::Approve, Vec::new())),
        (None, Some(_)) | (Some("reject"), _) => Ok((Ruling::Reject, named)),
        _ => Err(Refusal::invalid("ruling: approve or reject.".to_owned())),
    }
}

/// The revision that the page showed.
fn revision(form: &Fields) -> Result<Option<u32>, Refusal> {
    let problem = |_| Refusal::invalid("revision: a number.".to_owned());
    form.get("revision").map(str::parse).transpose().map_err(problem)
}
