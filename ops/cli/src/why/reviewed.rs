//! What people did about a held post: its cases, claims, decisions, and the way of its events to the forum.

use sluice_core::failure::Failure;
use sluice_core::moderation::CaseKind;
use sluice_core::post::PostId;
use sluice_mysql::Store;
use sluice_mysql::review::{Decision, Forgotten, Opinion, PastClaim, PastDelivery, StoredCase};

use super::event::Event;
use crate::times::shown;

/// All of it, as the database knows it.
#[derive(Debug, Default)]
pub(super) struct Reviewed {
    /// The post's cases, the first one first.
    pub(super) cases: Vec<StoredCase>,
    /// Who claimed them.
    pub(super) claims: Vec<PastClaim>,
    /// Whether a blind second review is open: decisions and opinions are left out then, and who claimed other cases of
    /// the post, since whoever asks may be the one who does it.
    pub(super) blind: bool,
    /// The decisions on it, the first one first.
    pub(super) decisions: Vec<Decision>,
    /// The second opinions on them, the first one first.
    pub(super) opinions: Vec<Opinion>,
    /// Where its events were sent.
    pub(super) deliveries: Vec<PastDelivery>,
    /// Who had its texts erased.
    pub(super) forgotten: Option<Forgotten>,
}

impl Reviewed {
    /// Asks for it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn ask(store: &Store, post: PostId) -> Result<Self, Failure> {
        // First: who holds a claim that ended with a decision has made it, and its second review is there by then.
        let mut claims = store.claims_of(post).await?;
        let decisions = store.decisions_for(post, None).await?;
        let cases = store.cases_of(post).await?;
        let blind = decisions.is_none();
        if blind {
            let second = |id| cases.iter().any(|case| case.case == id && case.as_it_stands().is_blind());
            claims.retain(|claim| second(claim.case));
        }
        Ok(Self {
            blind,
            decisions: decisions.unwrap_or_default(),
            opinions: if blind { Vec::new() } else { store.opinions_of(post).await? },
            cases,
            claims,
            deliveries: store.deliveries_of(post).await?,
            forgotten: store.forgotten(post).await?,
        })
    }

    /// What happened, in no order.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> = self.cases.iter().flat_map(of_case).collect();
        events.extend(self.claims.iter().map(of_claim));
        events.extend(self.decisions.iter().map(of_decision));
        events.extend(self.opinions.iter().map(of_opinion));
        events.extend(self.deliveries.iter().map(of_delivery));
        events.extend(self.forgotten.iter().map(|forgotten| {
            let reason = forgotten.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let detail = format!("title, text and author, by {}{reason}", forgotten.by);
            Event { at: Some(forgotten.at), what: "erased", detail }
        }));
        events
    }

    /// What stands, and whether somebody is still to decide; empty of a post that people have nothing to do with.
    pub(super) fn now(&self) -> String {
        let stands = self.decisions.last().map(|last| {
            format!(
                "; {} by {} since {} (revision {})",
                last.verdict,
                last.decided_by,
                shown(Some(last.decided_at)),
                last.revision
            )
        });
        let open = self.cases.iter().find(|case| case.stored_state.is_open()).map(|case| {
            let by = case.claimed_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("; its case {} is {}{by}", case.case, case.state)
        });
        let blind = self.blind.then(|| "; what was decided is not shown while it is reviewed blindly".to_owned());
        stands.into_iter().chain(open).chain(blind).collect()
    }
}

fn of_case(case: &StoredCase) -> Vec<Event> {
    let opened = match case.kind {
        CaseKind::Held => {
            let detail = format!("case {}, queue {}, priority {}", case.case, case.queue, case.priority);
            Event { at: Some(case.opened_at), what: "case opened", detail }
        }
        CaseKind::Appeal => {
            let against = case.of_decision.map(|of| format!(" against decision {of}")).unwrap_or_default();
            let reason = case.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            Event { at: Some(case.opened_at), what: "appealed", detail: format!("case {}{against}{reason}", case.case) }
        }
        CaseKind::Second => {
            let detail = format!("case {}: for a blind second review", case.case);
            Event { at: Some(case.opened_at), what: "drawn", detail }
        }
    };
    let withdrawn = (case.state == "withdrawn").then(|| {
        let detail = format!(
            "case {}: the post is gone at the forum, or its decision was undone or appealed against",
            case.case
        );
        Event { at: case.closed_at, what: "withdrawn", detail }
    });
    std::iter::once(opened).chain(withdrawn).collect()
}

fn of_claim(claim: &PastClaim) -> Event {
    let ended = match (&claim.outcome, claim.ended_at) {
        (Some(outcome), at) => format!("; {outcome} at {}", shown(at)),
        (None, _) => String::new(),
    };
    Event { at: Some(claim.at), what: "claimed", detail: format!("by {}, case {}{ended}", claim.by, claim.case) }
}

fn of_decision(decision: &Decision) -> Event {
    let Decision { verdict, previous, decided_by, role, cause, revision, decision: id, .. } = decision;
    // The role is the cause of most.
    let cause = if role.as_str() == cause.as_str() { String::new() } else { format!(", {cause}") };
    let mut detail =
        format!("{verdict}, was {previous}, by {decided_by} ({role}{cause}), revision {revision}, decision {id}");
    if !decision.policies.is_empty() {
        detail.push_str(&format!(", for {}", decision.policies.join(", ")));
    }
    if let Some(undone) = decision.undoes {
        detail.push_str(&format!(", undoes decision {undone}"));
    }
    if let Some(act) = decision.act {
        detail.push_str(&format!(", act {act}"));
    }
    for (name, text) in [("message", &decision.message), ("note", &decision.note)] {
        if let Some(text) = text {
            detail.push_str(&format!(", {name}: {text}"));
        }
    }
    let what = if decision.undoes.is_some() { "undone" } else { "decided" };
    Event { at: Some(decision.decided_at), what, detail }
}

fn of_opinion(opinion: &Opinion) -> Event {
    let Opinion { verdict, agrees, given_by, role, of_decision, policies, note, .. } = opinion;
    let says = if *agrees { "agrees with" } else { "differs from" };
    let mut detail = format!("{verdict} by {given_by} ({role}), {says} decision {of_decision}");
    if !policies.is_empty() {
        detail.push_str(&format!(", for {}", policies.join(", ")));
    }
    if let Some(note) = note {
        detail.push_str(&format!(", note: {note}"));
    }
    Event { at: Some(opinion.given_at), what: "second opinion", detail }
}

fn of_delivery(delivery: &PastDelivery) -> Event {
    let PastDelivery { endpoint, decision, seq, attempts, error, delivered_at, .. } = delivery;
    let tries = if *attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    let error = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let what = if delivered_at.is_some() { "delivered" } else { "undelivered" };
    let detail = format!("event {seq} ({decision}) to {endpoint}, {tries}{error}");
    Event { at: *delivered_at, what, detail }
}
