//! What stands for posts, for a forum.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_core::moderation::{CaseKind, CaseState, Cause};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Decision, StoredCase};

use super::app::{Answer, Answered, Api};
use super::input::{Asker, Body, Id};
use super::problem;
use super::refusal::text;

/// The most posts of one request.
const IDS_MOST: usize = 1000;

/// `GET posts/{id}`.
pub(super) async fn one(State(api): State<Api>, Id(id): Id) -> Answered {
    let post = PostId::from(id);
    let failed = |failure| api.failed(failure);
    let row = api.store().post(post).await.map_err(failed)?.ok_or_else(|| problem::no_post(post))?;
    let standing = api.store().standings(&[post]).await.map_err(failed)?.pop().ok_or_else(|| problem::no_post(post))?;
    let decisions = api.store().decisions_of(post).await.map_err(failed)?;
    let cases = api.store().cases_of(post).await.map_err(failed)?;
    let until = decisions.last().and_then(|last| appealable(last, &cases)).map(text);
    Answer::ok(json!({
        "post": post,
        "standing": standing.standing,
        "revision": standing.revision,
        "since": text(standing.since),
        "verdict": row.verdict,
        "reasons": serde_json::from_str::<Value>(&row.reasons).unwrap_or_default(),
        "appealable_until": until,
        "decisions": decisions.iter().map(nameless).collect::<Vec<_>>(),
    }))
}

/// Until when the decision that stands may be appealed against, if it may.
fn appealable(last: &Decision, cases: &[StoredCase]) -> Option<time::OffsetDateTime> {
    let appealed = cases.iter().any(|case| case.kind == CaseKind::Appeal && case.of_decision == Some(last.decision));
    let withdrawn = cases.iter().any(|case| case.stored_state == CaseState::Withdrawn && case.kind == CaseKind::Held);
    let may = last.verdict == Verdict::Rejected && last.cause != Cause::Appeal && !appealed && !withdrawn;
    last.appealable_until.filter(|_| may)
}

/// A decision as a forum sees it: by a role and no name, and without the team's note.
fn nameless(decision: &Decision) -> Value {
    json!({
        "decision": decision.decision,
        "revision": decision.revision,
        "verdict": decision.verdict,
        "previous": decision.previous,
        "cause": decision.cause,
        "policies": decision.policies,
        "message": decision.message,
        "decided_at": text(decision.decided_at),
        "by": decision.role,
    })
}

/// The posts that are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    ids: Vec<String>,
}

/// `POST standings`.
pub(super) async fn standings(State(api): State<Api>, _: Asker, Body(asked): Body<Asked>) -> Answered {
    if asked.ids.len() > IDS_MOST {
        return Err(problem::invalid("ids", format!("has {}, more than {IDS_MOST}", asked.ids.len())));
    }
    let read = |id: &String| id.parse::<PostId>().map_err(|_| problem::invalid("ids", "has one that is no UUID"));
    let mut posts = asked.ids.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut seen = std::collections::HashSet::new();
    posts.retain(|post| seen.insert(*post));
    let found = api.store().standings(&posts).await.map_err(|failure| api.failed(failure))?;
    posts.retain(|post| !found.iter().any(|standing| standing.post == *post));
    Answer::ok(json!({ "standings": found, "unknown": posts }))
}

/// `POST posts/{id}/withdraw`.
pub(super) async fn withdraw(
    State(api): State<Api>,
    Id(id): Id,
    _: Asker,
    Body(Nothing {}): Body<Nothing>,
) -> Answered {
    let post = PostId::from(id);
    let failed = |failure| api.failed(failure);
    if api.store().withdraw(post).await.map_err(failed)?.is_none()
        && api.store().post(post).await.map_err(failed)?.is_none()
    {
        return Err(problem::no_post(post));
    }
    let cases = api.store().cases_of(post).await.map_err(failed)?.len();
    Answer::ok(json!({ "post": post, "cases": cases }))
}

/// An object without members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}
