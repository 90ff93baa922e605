//! Who holds a case, and until when: a part of its own, asked for again every few seconds.

use askama::Template;
use sluice_core::moderation::CaseState;
use sluice_mysql::review::StoredCase;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::super::frame::Page;
use super::super::super::request::Who;
use super::super::asked;
use crate::times::shown;

/// How a case stands to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lease {
    /// They have claimed it.
    Mine {
        /// The token of the claim.
        token: Uuid,
        /// When it ends.
        until: OffsetDateTime,
        /// Whether it has not ended yet.
        live: bool,
    },
    /// Somebody else has.
    Theirs {
        /// Who.
        by: String,
        /// When that claim ends.
        until: OffsetDateTime,
    },
    /// Nobody has, and they may.
    Free,
    /// It waits for a lead.
    ForLead,
    /// It is about their own decision.
    NotForThem,
    /// It is decided, or the post is gone.
    Closed,
}

impl Lease {
    /// Of this case, for this person.
    pub(crate) fn of(case: &StoredCase, who: &Who) -> Self {
        let actor = asked::actor(who, None);
        let claim = case.claim.as_ref();
        match claim {
            _ if !case.stored_state.is_open() => Self::Closed,
            _ if case.not_by.as_deref() == Some(who.name.as_str()) => Self::NotForThem,
            Some(claim) if claim.live && claim.by != who.name => {
                Self::Theirs { by: claim.by.clone(), until: claim.until }
            }
            _ if case.stored_state == CaseState::Escalated && actor.role != sluice_core::moderation::Role::Lead => {
                Self::ForLead
            }
            Some(claim) if claim.by == who.name => {
                Self::Mine { token: claim.token, until: claim.until, live: claim.live }
            }
            _ => Self::Free,
        }
    }

    /// The token of their claim.
    pub(crate) fn token(&self) -> Option<Uuid> {
        match self {
            Self::Mine { token, .. } => Some(*token),
            _ => None,
        }
    }
}

/// `templates/lease.html`.
#[derive(Template)]
#[template(path = "lease.html")]
pub(crate) struct LeasePage {
    /// Which it is.
    pub(crate) lease: Lease,
    /// Whether it may still change.
    pub(crate) is_live: bool,
}

impl Page for LeasePage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "lease").then(|| self.render())
    }
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}
