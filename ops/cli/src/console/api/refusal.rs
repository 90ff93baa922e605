//! A refused act as the client is told: what stands in the way, who was first, and when.

use sluice_core::moderation::CaseKind;
use sluice_core::moderation::act::Refusal;
use sluice_mysql::review::StoredCase;
use sluice_runtime::health::Problem;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::app::Api;
use super::problem::conflict;

/// The problem of an act on this case. `case` is asked for again where it says more.
pub(super) async fn refused(api: &Api, case: Uuid, refusal: Refusal) -> Problem {
    let stands = api.store().case(case).await.ok().flatten();
    let problem = match refusal {
        Refusal::Claimed(claim) => {
            let until = if claim.live { format!(", until {}", text(claim.until)) } else { String::new() };
            let detail = format!("{} has claimed the case{until}", claim.by);
            conflict("claimed", "Somebody else has the case", detail)
                .with("by", claim.by)
                .with("until", text(claim.until))
        }
        Refusal::ClaimEnded => {
            let detail = "the claim has ended, and nobody holds the case; claim it again";
            conflict("claim-ended", "The claim has ended", detail)
        }
        Refusal::Decided => decided(api, stands.as_ref()).await,
        Refusal::Withdrawn => {
            let at = stands.as_ref().and_then(|case| case.closed_at);
            let (title, detail) = match stands.as_ref().map(|case| case.kind) {
                Some(CaseKind::Held) | None => ("The post is gone", "the forum said that the post is gone"),
                Some(CaseKind::Appeal | CaseKind::Second) => {
                    ("The case is ended", "the post is gone, or the decision was undone or appealed against")
                }
            };
            conflict("withdrawn", title, detail).with("at", at.map(text))
        }
        Refusal::NeedsLead => conflict("needs-lead", "The case waits for a lead", "only a lead may decide this case"),
        Refusal::OwnDecision => {
            let detail = "the case is about a decision of the same person; somebody else has to decide it";
            conflict("own-decision", "The decision is their own", detail)
        }
        Refusal::NeedsOpinion => {
            let detail = "it is a blind second review: a second opinion is asked for first";
            conflict("needs-opinion", "An opinion is asked for", detail)
        }
        Refusal::Superseded { revision } => {
            let detail = format!("the post's decisions have gone on to revision {revision}");
            conflict("superseded", "There is a later decision", detail).with("revision", revision)
        }
        Refusal::NotYours => {
            let detail = "only the one who decided, or a lead, may undo a decision";
            conflict("not-yours", "The decision is another's", detail)
        }
        Refusal::NotUndoable => {
            let detail = "the decision undoes another one; decide the case instead";
            conflict("not-undoable", "Nothing to undo", detail)
        }
    };
    let problem = problem.with("case", case);
    match stands {
        Some(case) => problem.with("state", case.state).about(case.post),
        None => problem,
    }
}

async fn decided(api: &Api, case: Option<&StoredCase>) -> Problem {
    const NAME: (&str, &str) = ("decided", "The case is decided");
    let Some(case) = case else { return conflict(NAME.0, NAME.1, "the case is decided") };
    // Whoever is refused may be the one who reviews the post a second time.
    let decisions = api.store().decisions_for(case.post, None).await.ok().flatten();
    let last = decisions.into_iter().flatten().rev().find(|decision| case.case == decision.case);
    let Some(last) = last else {
        let opinions = api.store().opinions_of(case.post).await.unwrap_or_default();
        return match opinions.into_iter().find(|opinion| opinion.case == case.case) {
            Some(opinion) => {
                let at = text(opinion.given_at);
                let detail = format!("{} gave the second opinion at {at}: {}", opinion.given_by, opinion.verdict);
                let problem = conflict(NAME.0, NAME.1, detail).with("by", opinion.given_by).with("at", at);
                problem.with("verdict", opinion.verdict)
            }
            None => conflict(NAME.0, NAME.1, "it is decided; a blind second review of that is open"),
        };
    };
    let at = text(last.decided_at);
    let detail = format!("{} decided it at {at}: {}", last.decided_by, last.verdict);
    conflict(NAME.0, NAME.1, detail)
        .with("by", last.decided_by)
        .with("at", at)
        .with("decision", last.decision)
        .with("verdict", last.verdict)
        .with("revision", last.revision)
}

/// A time as JSON has it.
pub(super) fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
