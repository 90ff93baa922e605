//! Cases: who claims them, who gives them back, and what is to be known of them.

use axum::extract::{RawQuery, State};
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_core::moderation::act::Refusal;
use sluice_core::moderation::{CaseState, Role};
use sluice_mysql::review::{Ask, CaseFilter, Claimed, PastClaim, Release};
use sluice_runtime::health::Problem;
use uuid::Uuid;

use super::app::{Answer, Answered, Api};
use super::input::{Asker, Body, Id, Query, maybe_within, within};
use super::person::Person;
use super::problem::{self, conflict};
use super::refusal::{refused, text};

/// The longest name of a queue, as the table has it.
const QUEUE_MAX_CHARS: usize = 100;
/// The longest note, in characters.
pub(super) const NOTE_MAX_CHARS: usize = 2000;
/// How many cases are listed where nothing is said, and at most.
const LIST: u64 = 50;
const LIST_MOST: u64 = 1000;

/// Who asks for a case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Next {
    by: Option<String>,
    role: Option<Role>,
    queue: Option<String>,
}

/// `POST review/claims`: the next case.
pub(super) async fn next(State(api): State<Api>, asker: Asker, Body(asked): Body<Next>) -> Answered {
    maybe_within("queue", asked.queue.as_deref(), QUEUE_MAX_CHARS)?;
    let person = Person::new(&asker, asked.by, asked.role)?;
    let failed = |failure| api.failed(failure);
    let token = asker.id();
    // A request that comes again after its claim has ended must not be given another case.
    if asker.key.is_some()
        && let Some(past) = api.store().claim_of(token).await.map_err(failed)?.filter(|past| past.ended_at.is_some())
    {
        return Err(claim_over(&past));
    }
    let ask = Ask { by: person.name(), role: person.role(), token, queue: asked.queue.as_deref() };
    match api.store().claim_next(ask).await.map_err(failed)? {
        Claimed::Case(case) => Answer::created(json!({ "claim": token, "case": *case })),
        Claimed::Nothing(nothing) => Answer::ok(json!({ "claim": null, "case": null, "open": nothing })),
    }
}

fn claim_over(past: &PastClaim) -> Problem {
    let outcome = past.outcome.as_deref().unwrap_or("ended");
    let detail = format!("the claim of this Idempotency-Key has ended ({outcome}); a new claim needs a new key");
    conflict("claim-ended", "The claim has ended", detail)
        .with("case", past.case)
        .with("by", &past.by)
        .with("at", past.ended_at.map(text))
}

/// Who claims a certain case. The token may be one of the client's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    by: Option<String>,
    role: Option<Role>,
    claim: Option<Uuid>,
}

/// `POST review/cases/{id}/claim`.
pub(super) async fn claim(State(api): State<Api>, Id(case): Id, asker: Asker, Body(asked): Body<Claim>) -> Answered {
    let person = Person::new(&asker, asked.by, asked.role)?;
    let token = asked.claim.unwrap_or_else(|| asker.id());
    let ask = Ask { by: person.name(), role: person.role(), token, queue: None };
    match api.store().claim(case, ask).await.map_err(|failure| api.failed(failure))? {
        Some(Ok(())) => Answer::ok(json!({ "claim": token, "case": stands(&api, case).await? })),
        Some(Err(refusal)) => Err(refused(&api, case, refusal).await),
        None => Err(no_case(case)),
    }
}

/// Who holds a case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    by: Option<String>,
    role: Option<Role>,
    claim: Option<Uuid>,
}

/// `POST review/cases/{id}/extend`.
pub(super) async fn extend(State(api): State<Api>, Id(case): Id, asker: Asker, Body(asked): Body<Hold>) -> Answered {
    let person = Person::new(&asker, asked.by, asked.role)?;
    let extended = api.store().extend_claim(case, person.actor(asked.claim)).await;
    match extended.map_err(|failure| api.failed(failure))? {
        Some(Ok(until)) => Answer::ok(json!({ "case": case, "claimed_until": text(until) })),
        Some(Err(refusal)) => Err(refused(&api, case, refusal).await),
        None => Err(no_case(case)),
    }
}

/// `POST review/cases/{id}/release`.
pub(super) async fn release(api: State<Api>, case: Id, asker: Asker, asked: Body<Hold>) -> Answered {
    give_back(api, case, asker, asked, Release::Released, "released").await
}

/// `POST review/cases/{id}/skip`.
pub(super) async fn skip(api: State<Api>, case: Id, asker: Asker, asked: Body<Hold>) -> Answered {
    give_back(api, case, asker, asked, Release::Skipped, "skipped").await
}

/// `POST review/cases/{id}/escalate`.
pub(super) async fn escalate(api: State<Api>, case: Id, asker: Asker, asked: Body<Hold>) -> Answered {
    give_back(api, case, asker, asked, Release::Escalated, "escalated").await
}

async fn give_back(
    State(api): State<Api>,
    Id(case): Id,
    asker: Asker,
    Body(asked): Body<Hold>,
    how: Release,
    outcome: &str,
) -> Answered {
    let person = Person::new(&asker, asked.by, asked.role)?;
    let failed = |failure| api.failed(failure);
    let shown = |state: &str| Answer::ok(json!({ "case": case, "state": state }));
    match api.store().release(case, person.actor(asked.claim), how).await.map_err(failed)? {
        Some(Ok(state)) => shown(state.as_str()),
        // It waits for a lead already.
        Some(Err(Refusal::NeedsLead)) if how == Release::Escalated => shown(CaseState::Escalated.as_str()),
        Some(Err(refusal)) => {
            // The answer to the same request may have been lost.
            if let Some(token) = asked.claim
                && let Some(past) = api.store().claim_of(token).await.map_err(failed)?
                && (past.case, past.outcome.as_deref()) == (case, Some(outcome))
            {
                return shown(stands(&api, case).await?["state"].as_str().unwrap_or_default());
            }
            Err(refused(&api, case, refusal).await)
        }
        None => Err(no_case(case)),
    }
}

/// A note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    text: String,
    by: Option<String>,
}

/// `POST review/cases/{id}/notes`.
pub(super) async fn note(State(api): State<Api>, Id(case): Id, asker: Asker, Body(asked): Body<NewNote>) -> Answered {
    within("text", &asked.text, NOTE_MAX_CHARS)?;
    let person = Person::new(&asker, asked.by, None)?;
    let note = asker.id();
    let added = api.store().add_note(note, case, person.name(), &asked.text).await;
    match added.map_err(|failure| api.failed(failure))? {
        true => Answer::created(json!({ "note": note, "case": case })),
        false => Err(no_case(case)),
    }
}

/// `GET review/cases`.
pub(super) async fn list(State(api): State<Api>, RawQuery(query): RawQuery) -> Answered {
    let names = ["state", "kind", "queue", "author", "same_text_as", "after", "limit"];
    let query = Query::read(query.as_deref(), &names)?;
    let state = query.get("state");
    let known = ["waiting", "claimed", "escalated", "decided", "withdrawn"];
    if state.is_some_and(|state| !known.contains(&state)) {
        return Err(problem::invalid("state", format!("has to be one of {}", known.join(", "))));
    }
    let kind = query.get("kind").map(|kind| kind.parse().map_err(|error: String| problem::invalid("kind", error)));
    let same =
        query.get("same_text_as").map(|id| id.parse().map_err(|_| problem::invalid("same_text_as", "is no UUID")));
    let after = query.get("after").map(|id| id.parse().map_err(|_| problem::invalid("after", "is no UUID")));
    let filter = CaseFilter {
        state,
        kind: kind.transpose()?,
        queue: query.get("queue"),
        author: query.get("author"),
        same_text_as: same.transpose()?,
        claimed_by: None,
        after: after.transpose()?,
        limit: u32::try_from(query.number("limit", 1..=LIST_MOST, LIST)?).unwrap_or(u32::MAX),
    };
    let cases = api.store().cases(&filter).await.map_err(|failure| api.failed(failure))?;
    Answer::ok(json!({ "cases": cases }))
}

/// `GET review/cases/{id}`: all that a person needs who decides.
pub(super) async fn one(State(api): State<Api>, Id(id): Id) -> Answered {
    let failed = |failure| api.failed(failure);
    let case = api.store().case(id).await.map_err(failed)?.ok_or_else(|| no_case(id))?;
    let post = api.store().post(case.post).await.map_err(failed)?;
    // Whoever asks here may be the one who reviews the post a second time.
    let decisions = api.store().decisions_for(case.post, None).await.map_err(failed)?;
    let (opinions, notes) = match &decisions {
        Some(_) => (api.store().opinions_of(case.post).await.map_err(failed)?, true),
        None => (Vec::new(), case.as_it_stands().is_blind()),
    };
    let notes = if notes { api.store().notes(id).await.map_err(failed)? } else { Vec::new() };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let post = post.map(|post| {
        json!({
            "id": post.id,
            "title": post.title,
            "content": post.content,
            "author": post.author,
            "verdict": post.verdict,
            "reasons": parsed(&post.reasons),
            "scores": post.scores.as_deref().map(parsed),
            "ruleset": post.ruleset,
            "submitted_at": text(post.submitted_at),
            "recorded_at": text(post.recorded_at),
        })
    });
    let blind = decisions.is_none();
    let decisions = decisions.unwrap_or_default();
    Answer::ok(json!({
        "case": case,
        "post": post,
        "blind": blind,
        "decisions": decisions,
        "opinions": opinions,
        "notes": notes,
    }))
}

/// A case, as it stands now.
async fn stands(api: &Api, case: Uuid) -> Result<Value, Problem> {
    let found = api.store().case(case).await.map_err(|failure| api.failed(failure))?;
    found.map_or_else(|| Err(no_case(case)), |found| Ok(json!(found)))
}

/// 404.
pub(super) fn no_case(case: Uuid) -> Problem {
    problem::none_such("case", &case.to_string())
}
