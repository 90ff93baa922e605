//! What the forms of moderators bring, and who sends them.

use sluice_core::failure::Failure;
use sluice_core::moderation;
use sluice_core::moderation::act::Actor;
use uuid::Uuid;

use super::super::app::Pages;
use super::super::frame::Refusal;
use super::super::request::{Fields, Who};
use crate::console::access::Role;
use crate::review::desk::person::words;

/// The longest name of a queue, in characters.
const QUEUE_MAX_CHARS: usize = 100;

/// As what this person decides.
pub(super) fn role(who: &Who) -> moderation::Role {
    if who.role.may(Role::Lead) { moderation::Role::Lead } else { moderation::Role::Moderator }
}

/// This person, for the guards, with the token of their claim.
pub(super) fn actor(who: &Who, claim: Option<Uuid>) -> Actor<'_> {
    Actor { name: &who.name, role: role(who), claim }
}

/// The id in an address.
///
/// # Errors
/// 404 when it is none.
pub(super) fn id(text: &str) -> Result<Uuid, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("This is no id of ours.".to_owned()))
}

/// An id or a token of a form.
///
/// # Errors
/// 422 when it is missing, or none.
pub(super) fn uuid(form: &Fields, name: &str) -> Result<Uuid, Refusal> {
    let given = form.get(name).and_then(|text| text.parse().ok());
    given.ok_or_else(|| Refusal::invalid(format!("{name}: a UUID. Load the page again, and send its form.")))
}

/// An id or a token that a form may leave out.
///
/// # Errors
/// 422 when it is there, and none.
pub(super) fn maybe_uuid(form: &Fields, name: &str) -> Result<Option<Uuid>, Refusal> {
    form.get(name).map(|_| uuid(form, name)).transpose()
}

/// A text for the author or the team; none where nothing was written.
///
/// # Errors
/// 422 when it is too long.
pub(super) fn text(form: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    let problem = |problem| Refusal::invalid(format!("{name}: {problem}."));
    // Browsers send two characters for each end of a line.
    form.get(name).map(|text| words(&text.replace("\r\n", "\n")).map_err(problem)).transpose()
}

/// The queue that somebody keeps to; none: all of them.
///
/// # Errors
/// 422 when no queue can be called so.
pub(super) fn queue(fields: &Fields) -> Result<Option<String>, Refusal> {
    match fields.get("queue") {
        Some(queue) if queue.chars().count() > QUEUE_MAX_CHARS => {
            Err(Refusal::invalid(format!("queue: at most {QUEUE_MAX_CHARS} characters.")))
        }
        queue => Ok(queue.map(str::to_owned)),
    }
}

/// Why the database did not answer, or refused.
pub(super) fn failed(pages: &Pages, failure: Failure) -> Refusal {
    let error = pages.0.store.with_context(failure);
    tracing::warn!(%error, "a moderator's request could not be answered");
    let detail =
        format!("{error}. If you sent a form, go back and send it again: what was done already is not done twice.");
    Refusal::down("The database did not answer", detail)
}

/// 404: there is no such case.
pub(super) fn no_case() -> Refusal {
    Refusal::not_found("There is no case with this id.".to_owned())
}
