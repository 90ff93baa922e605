//! Decisions of people, and their undoing, for other tools than ours.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_core::moderation::Role;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Decision, DecisionRequest, Ruled, Ruling, UndoRequest};
use sluice_runtime::health::Problem;
use uuid::Uuid;

use super::app::{Answer, Answered, Api};
use super::cases::{NOTE_MAX_CHARS, no_case};
use super::input::{Asker, Body, Id, maybe_within};
use super::person::Person;
use super::problem;
use super::refusal::refused;
use crate::policies::{MESSAGE_MAX_CHARS, ReasonError};

/// A decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    case: Uuid,
    verdict: Verdict,
    #[serde(default)]
    policies: Vec<String>,
    message: Option<String>,
    note: Option<String>,
    by: Option<String>,
    role: Option<Role>,
    claim: Option<Uuid>,
    revision: Option<u32>,
}

/// `POST review/decisions`.
pub(super) async fn decide(State(api): State<Api>, asker: Asker, Body(asked): Body<Asked>) -> Answered {
    let person = Person::new(&asker, asked.by, asked.role)?;
    let ruling = match asked.verdict {
        Verdict::Approved => Ruling::Approve,
        Verdict::Rejected => Ruling::Reject,
        Verdict::Held => return Err(problem::invalid("verdict", "has to be `approved` or `rejected`")),
    };
    maybe_within("message", asked.message.as_deref(), MESSAGE_MAX_CHARS)?;
    maybe_within("note", asked.note.as_deref(), NOTE_MAX_CHARS)?;
    let failed = |failure| api.failed(failure);
    let (id, policies) = (asker.id(), api.0.policies.now());
    let message = match policies.check(ruling, &asked.policies, asked.message.as_deref()) {
        Ok(message) => message,
        // What was decided once stays so, even if the policies have changed since.
        Err(error) => match api.store().decision(id).await.map_err(failed)?.filter(|_| asker.key.is_some()) {
            Some(_) => asked.message.clone(),
            None => return Err(without_reason(&error)),
        },
    };
    let request = DecisionRequest {
        id,
        case: asked.case,
        ruling,
        actor: person.actor(asked.claim),
        policies: &asked.policies,
        policyset: policies.set.as_deref(),
        message: message.as_deref(),
        note: asked.note.as_deref(),
        act: None,
        recheck: api.0.recheck,
        expected: asked.revision,
    };
    match api.store().rule(&request).await.map_err(failed)? {
        Some(Ok(Ruled::Decision(decision))) => Answer::created(shown(&decision)),
        Some(Ok(Ruled::Opinion(opinion))) => Answer::created(json!({
            "opinion": opinion.opinion,
            "post": opinion.post,
            "case": opinion.case,
            "verdict": opinion.verdict,
            "agrees": opinion.agrees,
        })),
        Some(Err(refusal)) => Err(refused(&api, asked.case, refusal).await),
        None => Err(no_case(asked.case)),
    }
}

/// Who undoes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Undo {
    by: Option<String>,
    role: Option<Role>,
    note: Option<String>,
}

/// `POST review/decisions/{id}/undo`. Whoever undoes then holds a claim on the case.
pub(super) async fn undo(State(api): State<Api>, Id(decision): Id, asker: Asker, Body(asked): Body<Undo>) -> Answered {
    let person = Person::new(&asker, asked.by, asked.role)?;
    maybe_within("note", asked.note.as_deref(), NOTE_MAX_CHARS)?;
    let failed = |failure| api.failed(failure);
    let id = asker.id();
    let actor = person.actor(Some(id));
    let request = UndoRequest { id, decision, actor, note: asked.note.as_deref(), act: None };
    match api.store().undo(&request).await.map_err(failed)? {
        Some(Ok(undo)) => {
            let mut shown = shown(&undo);
            shown["claim"] = json!(id);
            Answer::created(shown)
        }
        Some(Err(refusal)) => {
            let undone = api.store().decision(decision).await.map_err(failed)?;
            let case = undone.map_or(decision, |undone| undone.case);
            Err(refused(&api, case, refusal).await)
        }
        None => Err(problem::none_such("decision", &decision.to_string())),
    }
}

/// `GET review/policies`.
pub(super) async fn policies(State(api): State<Api>) -> Answered {
    let policies = api.0.policies.now();
    Answer::ok(json!({ "set": policies.set, "policies": policies.list() }))
}

fn shown(decision: &Decision) -> Value {
    json!({
        "decision": decision.decision,
        "post": decision.post,
        "case": decision.case,
        "revision": decision.revision,
        "verdict": decision.verdict,
        "previous": decision.previous,
    })
}

/// 422: the reasons of a decision are not as the policies have them.
fn without_reason(error: &ReasonError) -> Problem {
    let name = match error {
        ReasonError::Missing { .. } => "reason-missing",
        ReasonError::Unknown { .. } => "unknown-policy",
        ReasonError::TooMuch(_) => "invalid-request",
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, name, "Not a valid reason", error.to_string())
}
