//! The page of a case: the post with what the rules found in it, what is known around it, and what can be done.

use askama::Template;
use axum::extract::{Path, State};
use sluice_core::moderation::CaseKind;
use sluice_core::verdict::{Reason, Verdict};
use sluice_mysql::review::Decision;
use sluice_review::copies::NEAR_COPIES;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Frame, Page};
use super::super::super::request::{Visit, Who};
use super::super::asked::{self, failed, no_case};
use super::super::comfort::{Comfort, Stretch};
use super::after::After;
use super::lease::{Lease, LeasePage};
use super::marked::{Passage, passages};
use crate::policies::Policy;
use crate::review::case::about::About;
use crate::times::{shown, span};

/// How many policies have a key: 1 to 9.
const KEYS: usize = 9;

/// `templates/case.html`.
#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    about: About,
    lease: Lease,
    is_live: bool,
    title: Vec<Passage>,
    content: Vec<Passage>,
    /// How many bytes of the content are not shown.
    cut: usize,
    policies: Vec<Proposed>,
    after: Option<After>,
    /// The decision of this case that can be undone.
    undoable: Option<Decision>,
    /// The decision that is appealed against.
    against: Option<Decision>,
    /// Work without a pause, where a break is offered.
    stretch: Option<Stretch>,
    comfort: Comfort,
    /// The category for which the post is covered.
    covered: Option<String>,
    queue: Option<String>,
    ids: Ids,
}

/// A policy as a reason.
struct Proposed {
    policy: Policy,
    /// Whether one of the post's categories proposes it.
    fits: bool,
}

/// What the forms of this page bring: each is good for one answer.
struct Ids {
    claim: Uuid,
    decision: Uuid,
    next: Uuid,
    note: Uuid,
    undo: Uuid,
}

impl Page for CasePage {}

/// Shows it.
pub(crate) async fn show(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    comfort: Comfort,
) -> Answered {
    let store = &pages.0.store;
    let case = store.case(asked::id(&id)?).await.map_err(|failure| failed(&pages, failure))?.ok_or_else(no_case)?;
    let lease = Lease::of(&case, &who);
    let is_live = case.stored_state.is_open();
    if visit.asks_for("lease") {
        return visit.show(&LeasePage { lease, is_live });
    }
    let about = About::ask(store, case, None, Some(&who.name)).await.map_err(|failure| failed(&pages, failure))?;
    let whole = visit.query.get("whole").is_some();
    let marked = |text: Option<&str>, field| passages(text.unwrap_or_default(), field, &about.reasons, whole);
    let (title, _) = marked(about.case.title.as_deref(), "title");
    let (content, cut) = marked(about.content.as_deref(), "content");
    let policies = pages.0.policies.now();
    let policies = policies.list().iter().map(|policy| Proposed::new(policy, &about)).collect();
    let categories = about.scores.iter().map(|score| score.category.as_str()).chain([about.case.category.as_str()]);
    let covered = comfort.covers(categories);
    let page = CasePage {
        frame: visit.frame("Case"),
        is_live,
        title,
        content,
        cut,
        policies,
        after: After::read(&pages, &visit.query, &who).await?,
        undoable: undoable(&about, &who),
        against: about.case.of_decision.and_then(|against| find(&about, against)),
        stretch: Stretch::long(store, &who.name, &comfort).await.map_err(|failure| failed(&pages, failure))?,
        covered,
        comfort,
        queue: asked::queue(&visit.query)?,
        ids: Ids::new(),
        lease,
        about,
    };
    visit.show(&page)
}

impl CasePage {
    /// What the outside reviewer said.
    fn outside(&self) -> Vec<&Reason> {
        self.about.reasons.iter().filter(|reason| reason.rule.starts_with("reviewer_")).collect()
    }

    /// What the rules found, with its number in the text.
    fn found(&self) -> Vec<(usize, &Reason)> {
        let numbered = self.about.reasons.iter().enumerate().map(|(at, reason)| (at + 1, reason));
        let elsewhere = |reason: &Reason| reason.rule.starts_with("reviewer_") || reason.rule == NEAR_COPIES;
        numbered.filter(|(_, reason)| !elsewhere(reason)).collect()
    }

    /// How many posts said nearly the same when this one came, if it has to do with its review.
    fn copies(&self) -> Option<&Reason> {
        self.about.reasons.iter().find(|reason| reason.rule == NEAR_COPIES)
    }

    /// The case that is given back if the decision before it is undone, with its claim.
    fn other(&self) -> Option<(Uuid, Uuid)> {
        self.lease.token().map(|token| (self.about.case.case, token))
    }

    fn is(&self, kind: CaseKind) -> bool {
        self.about.case.kind == kind
    }

    /// Whether an opinion is asked for, and no decision.
    fn is_blind(&self) -> bool {
        self.about.case.as_it_stands().is_blind()
    }
}

impl Proposed {
    fn new(policy: &Policy, about: &About) -> Self {
        let speaks = |category: &String| about.scores.iter().any(|score| score.category == *category);
        Self { fits: policy.categories.iter().any(speaks), policy: policy.clone() }
    }
}

impl Ids {
    fn new() -> Self {
        let [claim, decision, next, note, undo] = std::array::from_fn(|_| Uuid::now_v7());
        Self { claim, decision, next, note, undo }
    }
}

fn find(about: &About, id: Uuid) -> Option<Decision> {
    about.decisions.iter().find(|decision| decision.decision == id).cloned()
}

/// The last decision on the post, where it is this case's, no undo, and this person may undo it.
fn undoable(about: &About, who: &Who) -> Option<Decision> {
    let last = about.decisions.last()?;
    let allowed =
        about.case.as_it_stands().undo(asked::actor(who, None), last.revision, &last.decided_by, last.undoes.is_some());
    (allowed.is_ok() && last.case == about.case.case && !about.case.stored_state.is_open()).then(|| last.clone())
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}

/// For the template.
fn age(at: &OffsetDateTime) -> String {
    span(OffsetDateTime::now_utc() - *at)
}

/// For the template: whether a sum reaches a threshold.
fn reaches(sum: &u32, threshold: &Option<u32>) -> bool {
    threshold.is_some_and(|threshold| *sum >= threshold)
}

/// For the template: how a verdict looks.
fn mark(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "good",
        Verdict::Held => "paused",
        Verdict::Rejected => "failed",
    }
}
