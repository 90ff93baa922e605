//! A case as it stands in the table.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row};
use serde::Serialize;
use sluice_core::moderation::{Case, CaseKind, CaseState, Claim};
use sluice_core::post::PostId;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

/// The columns of a case `c`. What comes from other tables is added by each query.
pub(super) const COLUMNS: &str = "c.id, c.post, c.kind, c.of_decision, c.queue, c.category, c.priority, c.author, \
                                  c.reason, c.state, c.opened_at, c.claim, c.claimed_by, c.claimed_at, \
                                  c.claimed_until, COALESCE(c.claimed_until > NOW(6), 0) AS live, c.handed_out, \
                                  c.not_by, c.closed_at, c.opinion, LOWER(HEX(c.fingerprint)) AS fingerprint";

/// What comes from other tables, where nobody needs it.
pub(super) const NOT_JOINED: &str = "NULL AS title, NULL AS categories, 0 AS in_title, 0 AS revision";

/// What the review found in a post, as far as a list needs it that shows its title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The categories that have a sum.
    pub categories: Vec<String>,
    /// Whether something was found in the title.
    pub in_title: bool,
}

impl Findings {
    /// Of a row that has them.
    pub(super) fn of(row: &Row) -> Self {
        let categories = row.get_opt::<Option<String>, _>("categories").and_then(Result::ok).flatten();
        let categories = categories.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let in_title = row.get_opt::<bool, _>("in_title").and_then(Result::ok).unwrap_or_default();
        Self { categories, in_title }
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredCase {
    /// Its id.
    pub case: Uuid,
    /// The post.
    pub post: PostId,
    /// What is asked.
    pub kind: CaseKind,
    /// `waiting`, `claimed`, `escalated`, `decided` or `withdrawn`.
    pub state: &'static str,
    /// In which queue it waits.
    pub queue: String,
    /// The category that weighed most against the post.
    pub category: String,
    /// The higher, the sooner it is handed out.
    pub priority: u16,
    /// When it was opened, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// Who holds a claim on it.
    pub claimed_by: Option<String>,
    /// Until when, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub claimed_until: Option<OffsetDateTime>,
    /// The post's title; none where the row is gone.
    pub title: Option<String>,
    /// Who wrote the post, as the forum said.
    pub author: Option<String>,
    /// The decision that is appealed against, or reviewed a second time.
    #[serde(skip)]
    pub of_decision: Option<Uuid>,
    /// Why the author appeals.
    pub reason: Option<String>,
    /// Who must not decide it: who made that decision.
    #[serde(skip)]
    pub not_by: Option<String>,
    /// The two as they may be shown.
    #[serde(flatten)]
    pub first: FirstDecision,
    /// Of a second review, the opinion that was given.
    pub opinion: Option<Uuid>,
    /// How often it was claimed.
    pub handed_out: u16,
    /// The highest revision of the post's decisions.
    pub revision: u32,
    /// When it was decided or withdrawn, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub closed_at: Option<OffsetDateTime>,
    /// A hash of the folded text, equal for posts with the same text: 32 hexadecimal digits.
    pub fingerprint: String,
    /// What was found in the post.
    #[serde(skip)]
    pub findings: Findings,
    /// The state in the table.
    #[serde(skip)]
    pub stored_state: CaseState,
    /// The last claim that was not given back. Only its holder may know the token.
    #[serde(skip)]
    pub claim: Option<Claim>,
    /// When it was claimed, UTC.
    #[serde(skip)]
    pub claimed_at: Option<OffsetDateTime>,
}

/// The decision that a case is about, as it may be shown: of a blind second review nothing, because whoever reviews it is
/// to be influenced by nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstDecision {
    of_decision: Option<Uuid>,
    not_by: Option<String>,
}

impl StoredCase {
    /// What the guards need to know of the case.
    #[must_use]
    pub fn as_it_stands(&self) -> Case {
        Case {
            kind: self.kind,
            state: self.stored_state,
            claim: self.claim.clone(),
            handed_out: self.handed_out,
            not_by: self.not_by.clone(),
            revision: self.revision,
            has_opinion: self.opinion.is_some(),
        }
    }
}

impl FromRow for StoredCase {
    fn from_row_opt(mut row: Row) -> Result<Self, FromRowError> {
        macro_rules! take {
            ($name:literal as $of:ty) => {
                match row.take_opt::<$of, _>($name) {
                    Some(Ok(value)) => value,
                    _ => return Err(FromRowError(row)),
                }
            };
            ($name:literal parsed) => {
                match row.get_opt::<String, _>($name).and_then(Result::ok).and_then(|text| text.parse().ok()) {
                    Some(value) => value,
                    None => return Err(FromRowError(row)),
                }
            };
        }
        let at = |time: PrimitiveDateTime| time.assume_utc();
        let stored_state: CaseState = take!("state" parsed);
        let live = take!("live" as bool) && stored_state.is_open();
        let token = take!("claim" as Option<String>).and_then(|token| token.parse().ok());
        let claimed_by = take!("claimed_by" as Option<String>);
        let until = take!("claimed_until" as Option<PrimitiveDateTime>).map(at);
        let claim = match (token, &claimed_by, until) {
            (Some(token), Some(by), Some(until)) => Some(Claim { token, by: by.clone(), until, live }),
            _ => None,
        };
        let of_decision: Option<Uuid> = take!("of_decision" as String).parse().ok();
        let not_by = take!("not_by" as Option<String>);
        let mut case = Self {
            case: take!("id" parsed),
            post: take!("post" parsed),
            kind: take!("kind" parsed),
            state: if live { "claimed" } else { stored_state.as_str() },
            queue: take!("queue" as String),
            category: take!("category" as String),
            priority: take!("priority" as u16),
            opened_at: at(take!("opened_at" as PrimitiveDateTime)),
            claimed_by: claimed_by.filter(|_| live),
            claimed_until: until.filter(|_| live),
            title: take!("title" as Option<String>),
            author: take!("author" as Option<String>),
            of_decision,
            reason: take!("reason" as Option<String>),
            first: FirstDecision { of_decision, not_by: not_by.clone() },
            not_by,
            opinion: take!("opinion" as Option<String>).and_then(|id| id.parse().ok()),
            handed_out: take!("handed_out" as u16),
            revision: take!("revision" as u32),
            closed_at: take!("closed_at" as Option<PrimitiveDateTime>).map(at),
            fingerprint: take!("fingerprint" as String),
            findings: Findings::of(&row),
            stored_state,
            claim,
            claimed_at: take!("claimed_at" as Option<PrimitiveDateTime>).map(at),
        };
        if case.as_it_stands().is_blind() {
            case.first = FirstDecision { of_decision: None, not_by: None };
        }
        Ok(case)
    }
}
