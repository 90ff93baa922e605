//! Appeals, and the end of a case because the post is gone at the forum.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Value};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::{CaseState, Cause};
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::claim::end_claim;
use super::decision::{COLUMNS, Decision};
use super::transaction::{again, begin, lock};
use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

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
        let pool = self.pool();
        self.bounded("an appeal", async {
            let mut connection = pool.get_conn().await?;
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
            let last = format!(
                "SELECT {COLUMNS} FROM review_decisions d WHERE d.post = ? ORDER BY d.revision DESC LIMIT 1"
            );
            let last: Option<Decision> = transaction.exec_first(last, (appeal.post.to_string(),)).await?;
            let against = match allowed(last, now.assume_utc()) {
                Ok(against) => against,
                Err(refusal) => return Ok(Some(Err(refusal))),
            };
            if let Some(there) = cases.iter().find(|case| case.of_decision == Some(against.decision)) {
                return Ok(Some(Err(AppealRefusal::AlreadyAppealed { case: there.case })));
            }
            let statement = "INSERT INTO review_cases (id, post, kind, of_decision, queue, category, priority, \
                             fingerprint, author, reason, state, opened_at, not_by) \
                             SELECT ?, post, 'appeal', ?, queue, category, priority, fingerprint, author, ?, 'waiting', \
                             ?, ? FROM review_cases WHERE id = ?";
            let values: Vec<Value> = vec![
                appeal.id.to_string().into(),
                against.decision.to_string().into(),
                appeal.reason.into(),
                datetime(now.assume_utc()),
                against.decided_by.into(),
                first.case.to_string().into(),
            ];
            transaction.exec_drop(statement, Params::Positional(values)).await?;
            transaction.commit().await?;
            Ok(Some(Ok(appeal.id)))
        })
        .await
    }

    /// Ends all open cases of a post, in whatever state they are. Gives how many, `None` if the post has no case.
    ///
    /// # Errors
    /// The server's.
    pub async fn withdraw(&self, post: PostId) -> Result<Option<usize>, Failure> {
        let mut tried = 1;
        loop {
            match self.try_withdraw(post).await {
                Err(failure) if again(&failure, tried).await => tried += 1,
                answer => return answer,
            }
        }
    }

    async fn try_withdraw(&self, post: PostId) -> Result<Option<usize>, Failure> {
        let pool = self.pool();
        self.bounded("a withdrawal", async {
            let mut connection = pool.get_conn().await?;
            let mut transaction = begin(&mut connection).await?;
            let cases = lock(&mut transaction, post).await?;
            if cases.is_empty() {
                return Ok(None);
            }
            // A decided case ends as well: otherwise an undo would open it again.
            let open: Vec<_> = cases.iter().filter(|case| case.stored_state != CaseState::Withdrawn).collect();
            for case in &open {
                end_claim(&mut transaction, case, "withdrawn").await?;
                let end = "UPDATE review_cases SET state = 'withdrawn', claim = NULL, claimed_by = NULL, \
                           claimed_until = NULL, closed_at = COALESCE(closed_at, NOW(6)) WHERE id = ?";
                transaction.exec_drop(end, (case.case.to_string(),)).await?;
            }
            transaction.commit().await?;
            Ok(Some(open.len()))
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
