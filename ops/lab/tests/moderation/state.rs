//! One moment of the whole: the rows, the people with what they have asked for, the senders, the forum.

use sluice_core::moderation::act::Actor;
use sluice_core::moderation::{Case, CaseKind, CaseState, Claim, Role};
use sluice_core::verdict::Verdict;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rules::{Budget, Rules};

/// The people, by their places.
pub(crate) const NAMES: [&str; 3] = ["ann", "bob", "lea"];
/// The place of the moderator who approves.
pub(crate) const BOB: u8 = 1;
/// The place of the lead.
pub(crate) const LEA: u8 = 2;
/// The places of the cases.
pub(crate) const HELD: u8 = 0;
pub(crate) const APPEAL: u8 = 1;
pub(crate) const SECOND: u8 = 2;

/// Who acts, with the token they show.
pub(crate) fn actor(who: u8, token: Option<u8>) -> Actor<'static> {
    let role = if who == LEA { Role::Lead } else { Role::Moderator };
    Actor { name: NAMES[usize::from(who)], role, claim: token.map(id) }
}

fn id(number: u8) -> Uuid {
    Uuid::from_u128(number.into())
}

/// A claim in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) token: u8,
    pub(crate) by: u8,
    pub(crate) live: bool,
}

/// A row of `review_cases`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CaseRow {
    pub(crate) kind: CaseKind,
    pub(crate) state: CaseState,
    pub(crate) claim: Option<Held>,
    pub(crate) handed_out: u16,
    pub(crate) not_by: Option<u8>,
    /// The revision that is appealed against, or reviewed a second time.
    pub(crate) of: Option<u8>,
    /// The id of the second opinion.
    pub(crate) opinion: Option<u8>,
}

impl CaseRow {
    /// What the guards are asked about.
    pub(crate) fn as_it_stands(&self, revision: u8) -> Case {
        let claim = self.claim.map(|claim| Claim {
            token: id(claim.token),
            by: NAMES[usize::from(claim.by)].to_owned(),
            until: OffsetDateTime::UNIX_EPOCH,
            live: claim.live,
        });
        Case {
            kind: self.kind,
            state: self.state,
            claim,
            handed_out: self.handed_out,
            not_by: self.not_by.map(|who| NAMES[usize::from(who)].to_owned()),
            revision: revision.into(),
            has_opinion: self.opinion.is_some(),
        }
    }

    /// One that was just opened about this decision.
    pub(crate) fn about(kind: CaseKind, decision: &Decision) -> Self {
        Self { kind, not_by: Some(decision.by), of: Some(decision.revision), ..Self::waiting(0) }
    }

    /// The held post's, claimed so often before.
    pub(crate) fn waiting(handed_out: u16) -> Self {
        let (kind, state) = (CaseKind::Held, CaseState::Waiting);
        Self { kind, state, claim: None, handed_out, not_by: None, of: None, opinion: None }
    }
}

/// A row of `review_decisions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Decision {
    pub(crate) id: u8,
    pub(crate) case: u8,
    pub(crate) revision: u8,
    pub(crate) verdict: Verdict,
    pub(crate) previous: Verdict,
    pub(crate) by: u8,
    pub(crate) undoes: Option<u8>,
}

/// What somebody asks of the database, with the ids they made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    Claim { case: u8, token: u8 },
    Decide { case: u8, token: Option<u8>, approve: bool, id: u8 },
    Undo { revision: u8, id: u8 },
    Skip { case: u8, token: u8 },
    Escalate { case: u8, token: Option<u8> },
}

/// A person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Person {
    /// What they wait for an answer to.
    pub(crate) asked: Option<Request>,
    /// The tokens of the claims that they were told they have.
    pub(crate) tokens: [Option<u8>; 3],
    /// The highest revision whose decision they have seen.
    pub(crate) seen: u8,
    /// Only done wrongly: what their transaction has read and not locked, with the revision.
    pub(crate) read: Option<(CaseRow, u8)>,
}

/// What the forum believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Forum {
    pub(crate) revision: Option<u8>,
    pub(crate) verdict: Verdict,
    /// The highest event that ever arrived.
    pub(crate) heard: Option<u8>,
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) cases: [Option<CaseRow>; 3],
    pub(crate) decisions: Vec<Decision>,
    pub(crate) people: [Person; 3],
    /// The events in the order of their numbers: 0 for `post.held`, then the place of the decision, counted from 1.
    pub(crate) feed: Vec<u8>,
    /// Which events were delivered, by their bits.
    pub(crate) delivered: u8,
    /// Which sender has the lease of the first event that is not delivered, and whether it has not lapsed.
    pub(crate) lease: Option<(u8, bool)>,
    /// What each sender is sending.
    pub(crate) senders: [Option<u8>; 2],
    pub(crate) forum: Forum,
    /// Ids and tokens that were made.
    pub(crate) made: u8,
    pub(crate) left: Budget,
    /// The first property that was not kept.
    pub(crate) wrong: Option<&'static str>,
}

impl State {
    pub(crate) fn first(rules: &Rules) -> Self {
        Self {
            cases: [Some(CaseRow::waiting(rules.handed_out)), None, None],
            decisions: Vec::new(),
            people: [Person::default(); 3],
            feed: Vec::new(),
            delivered: 0,
            lease: None,
            senders: [None; 2],
            forum: Forum { revision: None, verdict: Verdict::Held, heard: None },
            made: 0,
            left: rules.budget,
            wrong: None,
        }
    }

    /// A property is not kept; the first one is remembered.
    pub(crate) fn wrong(&mut self, property: &'static str) {
        self.wrong.get_or_insert(property);
    }

    /// The highest revision.
    pub(crate) fn revision(&self) -> u8 {
        self.decisions.iter().map(|decision| decision.revision).max().unwrap_or(0)
    }

    /// The decision of the highest revision.
    pub(crate) fn last(&self) -> Option<&Decision> {
        self.decisions.iter().max_by_key(|decision| decision.revision)
    }

    /// How many events there are.
    pub(crate) fn events(&self) -> u8 {
        u8::try_from(self.decisions.len() + 1).expect("a few events")
    }

    pub(crate) fn is_delivered(&self, event: u8) -> bool {
        self.delivered & 1 << event != 0
    }

    /// The numbered events that are not delivered, in the order of their numbers.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = u8> {
        self.feed.iter().copied().filter(|&event| !self.is_delivered(event))
    }

    /// Whether everything that there is to tell has been told.
    pub(crate) fn all_delivered(&self) -> bool {
        (0..self.events()).all(|event| self.is_delivered(event))
    }
}
