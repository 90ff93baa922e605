//! What is said where somebody else was first: who, when and what.

use serde::Serialize;
use sluice_core::moderation::CaseKind;
use sluice_core::moderation::act::Refusal;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::{Decision, Opinion, StoredCase};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::review::desk::Desk;
use crate::times::shown;
use crate::visible::line;

/// An act on a case that was refused. Nothing was written. It never has the token of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::review) struct Refused {
    /// Why, in a word: `claimed`, `decided`, …
    refused: &'static str,
    case: Uuid,
    post: PostId,
    /// Who was first.
    by: Option<String>,
    /// When they decided, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    at: Option<OffsetDateTime>,
    /// When their claim ends, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
    /// What stands.
    verdict: Option<Verdict>,
    revision: Option<u32>,
    /// All of it in a sentence.
    pub(in crate::review) detail: String,
}

impl Refused {
    /// Asks who was first.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::review) async fn new(
        desk: &Desk,
        refusal: &Refusal,
        case: Uuid,
        post: PostId,
    ) -> anyhow::Result<Self> {
        let now = desk.ok(desk.store.case(case).await)?;
        // Whoever is refused may be the one who reviews the post a second time.
        let last = desk.ok(desk.store.decisions_for(post, None).await)?.and_then(|mut decisions| decisions.pop());
        let opinion = desk.ok(desk.store.opinions_of(post).await)?.into_iter().find(|opinion| opinion.case == case);
        Ok(told(refusal, case, post, now.as_ref(), last, opinion))
    }

    /// Says it; with `json` also as an object on stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(in crate::review) fn tell(&self, json: bool) -> anyhow::Result<Exit> {
        report!("case {}: {}", self.case, self.detail);
        if json {
            output::print(|out| output::json_line(out, self))?;
        }
        Ok(Exit::Partial)
    }
}

fn told(
    refusal: &Refusal,
    case: Uuid,
    post: PostId,
    now: Option<&StoredCase>,
    last: Option<Decision>,
    opinion: Option<Opinion>,
) -> Refused {
    let mut refused = Refused {
        refused: "",
        case,
        post,
        by: None,
        at: None,
        until: None,
        verdict: None,
        revision: None,
        detail: String::new(),
    };
    // A second review that an opinion has closed: what stands is the decision of another case.
    let opinion = opinion.filter(|_| last.as_ref().is_none_or(|last| last.case != case));
    let last = last.filter(|_| opinion.is_none());
    let decided = match (&last, &opinion) {
        (Some(Decision { decided_by, decided_at, verdict, decision, revision, .. }), _) => {
            let at = shown(Some(*decided_at));
            format!("{} decided it at {at}: {verdict} (decision {decision}, revision {revision})", line(decided_by))
        }
        (None, Some(Opinion { given_by, given_at, verdict, .. })) => {
            format!("{} gave the second opinion at {}: {verdict}", line(given_by), shown(Some(*given_at)))
        }
        (None, None) => "it is decided; a blind second review of that is open, so it is not shown how".to_owned(),
    };
    let next = "`sluice review next` claims another one";
    let (word, detail) = match refusal {
        Refusal::Claimed(claim) => {
            (refused.by, refused.until) = (Some(claim.by.clone()), Some(claim.until));
            let lasts = if claim.live { "until" } else { "after you; the claim ended at" };
            ("claimed", format!("{} has claimed it, {lasts} {}; {next}", line(&claim.by), shown(Some(claim.until))))
        }
        Refusal::ClaimEnded if now.is_some_and(|case| case.claim.is_none()) => {
            ("claim_ended", format!("nobody holds a claim on it: it was given back, or never claimed; {next}"))
        }
        Refusal::ClaimEnded => ("claim_ended", format!("the claim with this token was given back; {next}")),
        Refusal::Decided => ("decided", decided.clone()),
        Refusal::Withdrawn => {
            let at = now.and_then(|case| case.closed_at);
            refused.at = at;
            let why = match now.map(|case| case.kind) {
                Some(CaseKind::Held) | None => "the post is gone at the forum",
                Some(CaseKind::Appeal | CaseKind::Second) => {
                    "the post is gone at the forum, or the decision was undone or appealed against"
                }
            };
            ("withdrawn", format!("{why}: withdrawn at {}", shown(at)))
        }
        Refusal::NeedsLead => ("needs_lead", "it is escalated and waits for a lead (--lead)".to_owned()),
        Refusal::OwnDecision => {
            ("own_decision", "it is about your own decision; somebody else has to decide it".to_owned())
        }
        Refusal::NeedsOpinion => ("needs_opinion", "a second opinion is asked for first".to_owned()),
        Refusal::Superseded { revision } => {
            refused.revision = Some(*revision);
            let since = if last.is_some() { format!(": {decided}") } else { String::new() };
            ("superseded", format!("the post is at revision {revision}, not at the one that is meant{since}"))
        }
        Refusal::NotYours => ("not_yours", format!("{decided}; only they, or a lead (--lead), may undo that")),
        Refusal::NotUndoable => ("not_undoable", format!("it undoes another decision itself; {decided}")),
    };
    if let Some(last) = last.filter(|_| !matches!(refusal, Refusal::Claimed(_) | Refusal::Withdrawn)) {
        (refused.by, refused.at) = (Some(last.decided_by), Some(last.decided_at));
        (refused.verdict, refused.revision) = (Some(last.verdict), Some(last.revision));
    }
    if let Some(opinion) = opinion {
        (refused.by, refused.at, refused.verdict) =
            (Some(opinion.given_by), Some(opinion.given_at), Some(opinion.verdict));
    }
    Refused { refused: word, detail, ..refused }
}
