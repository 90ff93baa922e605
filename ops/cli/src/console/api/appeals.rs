//! Appeals of authors, as the forum hands them on.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_core::moderation::CaseKind;
use sluice_core::post::PostId;
use sluice_mysql::review::{Appeal, AppealRefusal, StoredCase};
use sluice_runtime::health::Problem;
use uuid::Uuid;

use super::app::{Answer, Answered, Api};
use super::input::{Asker, Body, Id, maybe_within, within};
use super::problem;
use super::refusal::text;

/// The longest reason, in characters.
const REASON_MAX_CHARS: usize = 2000;
/// The longest name of an author, in characters.
const BY_MAX_CHARS: usize = 100;

/// An appeal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    reason: String,
    by: Option<String>,
}

/// `POST posts/{id}/appeals`.
pub(super) async fn open(State(api): State<Api>, Id(id): Id, asker: Asker, Body(asked): Body<Asked>) -> Answered {
    within("reason", &asked.reason, REASON_MAX_CHARS)?;
    maybe_within("by", asked.by.as_deref(), BY_MAX_CHARS)?;
    let (post, appeal) = (PostId::from(id), asker.id());
    let failed = |failure| api.failed(failure);
    if asker.key.is_some()
        && let Some(there) = api.store().case(appeal).await.map_err(failed)?
        && there.post != post
    {
        return Err(problem::key_reused());
    }
    let request = Appeal { id: appeal, post, reason: &asked.reason };
    let opened = match api.store().appeal(&request).await.map_err(failed)? {
        Some(Ok(opened)) => opened,
        Some(Err(refusal)) => return Err(refused(post, refusal)),
        // Without a case no person has said anything of it.
        None if api.store().post(post).await.map_err(failed)?.is_some() => {
            return Err(refused(post, AppealRefusal::NotRejected));
        }
        None => return Err(problem::no_post(post)),
    };
    if let Some(by) = &asked.by {
        let note = Uuid::new_v5(&opened, b"by");
        let said = format!("the appeal is by: {by}");
        api.store().add_note(note, opened, &asker.name, &said).await.map_err(failed)?;
    }
    let case = api.store().case(opened).await.map_err(failed)?.ok_or_else(|| problem::no_post(post))?;
    Answer::created(shown(&api, &case).await?)
}

/// `GET appeals/{id}`.
pub(super) async fn one(State(api): State<Api>, Id(id): Id) -> Answered {
    let case = api.store().case(id).await.map_err(|failure| api.failed(failure))?;
    match case.filter(|case| case.kind == CaseKind::Appeal) {
        Some(case) => Answer::ok(shown(&api, &case).await?),
        None => Err(problem::none_such("appeal", &id.to_string())),
    }
}

async fn shown(api: &Api, case: &StoredCase) -> Result<Value, Problem> {
    let decisions = api.store().decisions_of(case.post).await.map_err(|failure| api.failed(failure))?;
    // One that was undone has left the appeal open again.
    let last = decisions.iter().rev().find(|decision| decision.case == case.case);
    let decided = last.filter(|last| last.undoes.is_none() && !case.stored_state.is_open());
    let outcome = decided.map(|last| if last.verdict == last.previous { "upheld" } else { "overturned" });
    // Who has claimed it is the team's business.
    let state = if case.stored_state.is_open() { "waiting" } else { case.stored_state.as_str() };
    Ok(json!({
        "appeal": case.case,
        "post": case.post,
        "against": case.of_decision,
        "reason": case.reason,
        "state": state,
        "outcome": outcome,
        "decision": decided.map(|last| last.decision),
        "message": decided.and_then(|last| last.message.clone()),
        "opened_at": text(case.opened_at),
        "closed_at": case.closed_at.map(text),
    }))
}

fn refused(post: PostId, refusal: AppealRefusal) -> Problem {
    const APPEALED: &str = "There was an appeal";
    let problem = match refusal {
        AppealRefusal::NotRejected => {
            let detail = "what stands for the post is no rejection by a person";
            problem::conflict("not-rejected", "Nothing to appeal against", detail)
        }
        AppealRefusal::AlreadyAppealed { case } => {
            let detail = format!("there is an appeal against this decision: {case}");
            problem::conflict("already-appealed", APPEALED, detail).with("appeal", case)
        }
        AppealRefusal::Final => {
            let detail = "it was decided on appeal, or no appeal was allowed: that is final";
            problem::conflict("already-appealed", APPEALED, detail)
        }
        AppealRefusal::Withdrawn => {
            problem::conflict("withdrawn", "The post is gone", "the forum said that the post is gone")
        }
        AppealRefusal::TooLate { since } => {
            let detail = format!("the time for an appeal was over at {}", text(since));
            Problem::new(StatusCode::GONE, "too-late", "Too late", detail).with("until", text(since))
        }
    };
    problem.about(post)
}
