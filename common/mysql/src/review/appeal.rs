//! Appeals of authors.

use mysql_async::prelude::Queryable as _;
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::{CaseKind, CaseState, Cause};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::about::{CaseAbout, end_those_about};
use super::case::StoredCase;
use super::decision::{COLUMNS, Decision};
use super::transaction::{again, begin, lock};
use crate::Store;
use crate::failure::no_row;

/// An appeal by a post's author, as the forum passes it on.
#[derive(Debug, Clone)]
pub struct Appeal<'a> {
    /// The id of its case, made by the caller: a repeated request with the same id gets the same answer.
    pub id: Uuid,
    /// The post.
    pub post: PostId,
    /// Why, in the author's words.
    pub reason: &'a str,
}

/// Why an appeal is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum AppealRefusal {
    /// The verdict that stands is not a rejection by a person.
    NotRejected,
    /// There was an appeal against this decision.
    AlreadyAppealed {
        /// The appeal's case.
        case: Uuid,
    },
    /// The time for it is over.
    TooLate {
        /// Since when, UTC.
        #[serde(with = "time::serde::rfc3339")]
        since: OffsetDateTime,
    },
    /// It was decided on appeal: that is final.
    Final,
    /// The forum said that the post is gone.
    Withdrawn,
}

impl Store {
    /// Opens an appeal against the decision that stands. `None`: the post has no case. Gives the appeal's case.
    ///
    /// # Errors
    /// The server's.
    pub async fn appeal(&self, appeal: &Appeal<'_>) -> Result<Option<Result<Uuid, AppealRefusal>>, Failure> {
        let mut tried = 1;
        loop {
            match self.try_appeal(appeal).await {
                Err(failure) if again(&failure, tried).await => tried += 1,
                answer => return answer,
            }
        }
    }

    async fn try_appeal(&self, appeal: &Appeal<'_>) -> Result<Option<Result<Uuid, AppealRefusal>>, Failure> {
        self.bounded("an appeal", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let cases = lock(&mut transaction, appeal.post).await?;
            let Some(first) = cases.first() else { return Ok(None) };
            if cases.iter().any(|case| case.case == appeal.id) {
                return Ok(Some(Ok(appeal.id)));
            }
            if first.stored_state == CaseState::Withdrawn {
                return Ok(Some(Err(AppealRefusal::Withdrawn)));
            }
            let now: PrimitiveDateTime = transaction.query_first("SELECT NOW(6)").await?.ok_or_else(no_row)?;
            let last =
                format!("SELECT {COLUMNS} FROM review_decisions d WHERE d.post = ? ORDER BY d.revision DESC LIMIT 1");
            let last: Option<Decision> = transaction.exec_first(last, (appeal.post.to_string(),)).await?;
            let against = match allowed(last, now.assume_utc()) {
                Ok(against) => against,
                Err(refusal) => return Ok(Some(Err(refusal))),
            };
            let about = |case: &&StoredCase| case.of_decision == Some(against.decision);
            if let Some(there) = cases.iter().filter(about).find(|case| case.kind == CaseKind::Appeal) {
                return Ok(Some(Err(AppealRefusal::AlreadyAppealed { case: there.case })));
            }
            let new = CaseAbout {
                id: appeal.id,
                kind: CaseKind::Appeal,
                decision: against.decision,
                not_by: &against.decided_by,
                reason: Some(appeal.reason),
                at: now.assume_utc(),
            };
            new.open(&mut transaction, first.case).await?;
            // The appeal is a second look at it, too, and one that sees everything.
            end_those_about(&mut transaction, &cases, against.decision).await?;
            transaction.commit().await?;
            Ok(Some(Ok(appeal.id)))
        })
        .await
    }
}

/// The decision that may be appealed against.
fn allowed(last: Option<Decision>, now: OffsetDateTime) -> Result<Decision, AppealRefusal> {
    let last = last.filter(|last| last.verdict == Verdict::Rejected).ok_or(AppealRefusal::NotRejected)?;
    match last.appealable_until {
        _ if last.cause == Cause::Appeal => Err(AppealRefusal::Final),
        Some(until) if now > until => Err(AppealRefusal::TooLate { since: until }),
        Some(_) => Ok(last),
        None => Err(AppealRefusal::Final),
    }
}
