//! Claims: who holds a case. A claim ends by the database's clock; nobody has to come and end it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Transaction, Value};
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::act::{Actor, Refusal};
use sluice_core::moderation::{CaseState, Role};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::{COLUMNS, StoredCase};
use super::transaction::{again, begin, lock_case};
use crate::Store;
use crate::failure::no_row;

/// How long a claim lasts, and to how long each activity extends it.
pub const LEASE: Duration = Duration::from_secs(10 * 60);
/// The longest time to which a claim can be extended.
pub const LEASE_MOST: Duration = Duration::from_secs(60 * 60);

/// How often a free case is looked for while some wait that others lock.
const LOOKS: u32 = 3;
/// The wait before the second look.
const PAUSE: Duration = Duration::from_millis(20);

/// Who asks for a case.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The moderator.
    pub by: &'a str,
    /// As what. A lead is given escalated cases first.
    pub role: Role,
    /// The token of the claim, made by the one who asks: asked again with it, the same case is given again.
    pub token: Uuid,
    /// Only cases of this queue.
    pub queue: Option<&'a str>,
}

/// What was handed out.
#[derive(Debug)]
pub enum Claimed {
    /// This case.
    Case(Box<StoredCase>),
    /// None is free.
    Nothing(Nothing),
}

/// Why none is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nothing {
    /// Cases that wait for anybody.
    pub waiting: u64,
    /// Cases that moderators have claimed.
    pub claimed: u64,
    /// Cases that wait for a lead.
    pub escalated: u64,
    /// When the first claim ends, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_free_at: Option<OffsetDateTime>,
}

/// How a case is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// For the next one.
    Released,
    /// Because this person would rather not decide it. Skipped too often, it goes to a lead.
    Skipped,
    /// For a lead.
    Escalated,
}

impl Release {
    fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Skipped => "skipped",
            Self::Escalated => "escalated",
        }
    }
}

/// A change of a case, under way. Boxed, so that whoever waits for it may do so on any thread.
pub(super) type Changing<'t, T> =
    Pin<Box<dyn Future<Output = Result<Result<T, Refusal>, mysql_async::Error>> + Send + 't>>;

impl Store {
    /// Hands out the next case: by priority, then by age.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim_next(&self, ask: Ask<'_>) -> Result<Claimed, Failure> {
        let mut looked = 1;
        loop {
            if let Some(case) = self.try_next(ask).await? {
                return Ok(Claimed::Case(Box::new(self.case(case).await?.ok_or_else(gone)?)));
            }
            let nothing = self.nothing(ask.queue).await?;
            // What others lock is skipped: a moment later it is theirs, or free.
            if nothing.waiting == 0 || looked == LOOKS {
                return Ok(Claimed::Nothing(nothing));
            }
            tokio::time::sleep(PAUSE * looked).await;
            looked += 1;
        }
    }

    async fn try_next(&self, ask: Ask<'_>) -> Result<Option<Uuid>, Failure> {
        let mut tried = 1;
        loop {
            let pool = self.pool();
            let claimed =
                self.bounded("claiming the next case", async { next(&mut pool.get_conn().await?, ask).await }).await;
            match claimed {
                Err(failure) if again(&failure, tried).await => tried += 1,
                claimed => return claimed,
            }
        }
    }

    /// Claims this case. `None`: there is no such case.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim(&self, case: Uuid, ask: Ask<'_>) -> Result<Option<Result<(), Refusal>>, Failure> {
        let actor = Actor { name: ask.by, role: ask.role, claim: Some(ask.token) };
        self.change(case, "claiming a case", &(actor, ask), |transaction, case, (actor, ask)| {
            Box::pin(async move {
                let answer = case.as_it_stands().claim(*actor);
                if answer.is_ok() {
                    take(transaction, case, *ask).await?;
                }
                Ok(answer)
            })
        })
        .await
    }

    /// Extends a claim, but to no longer than [`LEASE_MOST`] after it began. Gives its new end.
    ///
    /// # Errors
    /// The server's.
    pub async fn extend_claim(
        &self,
        case: Uuid,
        actor: Actor<'_>,
    ) -> Result<Option<Result<OffsetDateTime, Refusal>>, Failure> {
        self.change(case, "extending a claim", &actor, |transaction, case, actor| {
            Box::pin(async move {
                if let Err(refusal) = case.as_it_stands().hold(*actor) {
                    return Ok(Err(refusal));
                }
                let statement = "UPDATE review_cases SET claimed_until = GREATEST(claimed_until, \
                                 LEAST(NOW(6) + INTERVAL ? SECOND, claimed_at + INTERVAL ? SECOND)) WHERE id = ?";
                let id = case.case.to_string();
                transaction.exec_drop(statement, (LEASE.as_secs(), LEASE_MOST.as_secs(), &id)).await?;
                let until = "SELECT claimed_until FROM review_cases WHERE id = ?";
                let until: Option<PrimitiveDateTime> = transaction.exec_first(until, (id,)).await?;
                Ok(Ok(until.ok_or_else(no_row)?.assume_utc()))
            })
        })
        .await
    }

    /// Gives a case back.
    ///
    /// # Errors
    /// The server's.
    pub async fn release(
        &self,
        case: Uuid,
        actor: Actor<'_>,
        how: Release,
    ) -> Result<Option<Result<CaseState, Refusal>>, Failure> {
        self.change(case, "giving a case back", &(actor, how), |transaction, case, (actor, how)| {
            Box::pin(async move {
                let stands = case.as_it_stands();
                // To escalate a case one need not hold a claim, but nobody else may.
                let allowed = if *how == Release::Escalated { stands.decide(*actor) } else { stands.hold(*actor) };
                if let Err(refusal) = allowed {
                    return Ok(Err(refusal));
                }
                let state = match how {
                    Release::Released => stands.state,
                    Release::Skipped => stands.skipped(),
                    Release::Escalated => CaseState::Escalated,
                };
                end_claim(transaction, case, how.as_str()).await?;
                let statement = "UPDATE review_cases SET state = ?, claim = NULL, claimed_by = NULL, claimed_at = NULL, \
                                 claimed_until = NULL WHERE id = ?";
                transaction.exec_drop(statement, (state.as_str(), case.case.to_string())).await?;
                Ok(Ok(state))
            })
        })
        .await
    }

    /// Changes one case in a transaction, with all cases of its post locked. A refusal is taken back. `asked` is what
    /// the change is made of.
    pub(super) async fn change<A: Sync, T: Send>(
        &self,
        case: Uuid,
        what: &str,
        asked: &A,
        change: impl for<'t> Fn(&'t mut Transaction<'_>, &'t StoredCase, &'t A) -> Changing<'t, T> + Send + Sync,
    ) -> Result<Option<Result<T, Refusal>>, Failure> {
        let mut tried = 1;
        loop {
            let pool = self.pool();
            let changed = self
                .bounded(what, async {
                    let mut connection = pool.get_conn().await?;
                    let mut transaction = begin(&mut connection).await?;
                    let Some(case) = lock_case(&mut transaction, case).await? else { return Ok(None) };
                    let answer = change(&mut transaction, &case, asked).await?;
                    if answer.is_ok() {
                        transaction.commit().await?
                    } else {
                        transaction.rollback().await?
                    }
                    Ok(Some(answer))
                })
                .await;
            match changed {
                Err(failure) if again(&failure, tried).await => tried += 1,
                changed => return changed,
            }
        }
    }

    async fn nothing(&self, queue: Option<&str>) -> Result<Nothing, Failure> {
        let of_queue = if queue.is_some() { "AND queue = ?" } else { "" };
        let statement = format!(
            "SELECT COALESCE(SUM(state = 'waiting' AND NOT COALESCE(claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(COALESCE(claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(state = 'escalated' AND NOT COALESCE(claimed_until > NOW(6), 0)), 0), \
             MIN(CASE WHEN claimed_until > NOW(6) THEN claimed_until END) \
             FROM review_cases WHERE state IN ('waiting', 'escalated') {of_queue}"
        );
        let asked: Vec<Value> = queue.map(Value::from).into_iter().collect();
        let rows: Vec<(u64, u64, u64, Option<PrimitiveDateTime>)> =
            self.read("a count of cases", statement, asked).await?;
        let (waiting, claimed, escalated, next) = rows.into_iter().next().unwrap_or_default();
        Ok(Nothing { waiting, claimed, escalated, next_free_at: next.map(PrimitiveDateTime::assume_utc) })
    }
}

/// Finds the next case and takes it.
async fn next(connection: &mut Conn, ask: Ask<'_>) -> Result<Option<Uuid>, mysql_async::Error> {
    let mut transaction = begin(connection).await?;
    let mine = "SELECT id FROM review_cases WHERE claim = ? AND state IN ('waiting', 'escalated')";
    let again: Option<String> = transaction.exec_first(mine, (ask.token.to_string(),)).await?;
    if let Some(case) = again {
        transaction.rollback().await?;
        return Ok(case.parse().ok());
    }
    let states: &[CaseState] = match ask.role {
        Role::Lead => &[CaseState::Escalated, CaseState::Waiting],
        Role::Moderator => &[CaseState::Waiting],
    };
    for state in states {
        let of_queue = if ask.queue.is_some() { "c.queue = ? AND" } else { "" };
        // Rows that others lock just now are skipped: they are being claimed.
        let statement = format!(
            "SELECT {COLUMNS}, NULL AS title, 0 AS revision FROM review_cases c WHERE {of_queue} c.state = ? \
             AND (c.claimed_until IS NULL OR c.claimed_until <= NOW(6)) AND (c.not_by IS NULL OR c.not_by <> ?) \
             ORDER BY c.priority DESC, c.opened_at, c.id LIMIT 1 FOR UPDATE SKIP LOCKED"
        );
        let mut asked: Vec<Value> = ask.queue.map(Value::from).into_iter().collect();
        asked.extend([state.as_str().into(), ask.by.into()]);
        let free: Option<StoredCase> = transaction.exec_first(statement, Params::Positional(asked)).await?;
        if let Some(case) = free {
            take(&mut transaction, &case, ask).await?;
            transaction.commit().await?;
            return Ok(Some(case.case));
        }
    }
    transaction.rollback().await?;
    Ok(None)
}

/// Writes a claim on a case that is locked.
async fn take(transaction: &mut Transaction<'_>, case: &StoredCase, ask: Ask<'_>) -> Result<(), mysql_async::Error> {
    if case.claim.as_ref().is_some_and(|claim| claim.token == ask.token) {
        return Ok(());
    }
    end_claim(transaction, case, "lapsed").await?;
    claim_for(transaction, case, ask.by, ask.token).await
}

/// Claims a case that is locked for somebody.
pub(super) async fn claim_for(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    by: &str,
    token: Uuid,
) -> Result<(), mysql_async::Error> {
    let (id, token) = (case.case.to_string(), token.to_string());
    let statement = "UPDATE review_cases SET claim = ?, claimed_by = ?, claimed_at = NOW(6), \
                     claimed_until = NOW(6) + INTERVAL ? SECOND, handed_out = LEAST(handed_out + 1, 65535) WHERE id = ?";
    transaction.exec_drop(statement, (&token, by, LEASE.as_secs(), &id)).await?;
    let statement = "INSERT INTO review_claims (id, case_id, moderator, at) VALUES (?, ?, ?, NOW(6)) \
                     ON DUPLICATE KEY UPDATE case_id = VALUES(case_id)";
    transaction.exec_drop(statement, (token, id, by)).await
}

/// Notes how the last claim ended, if there was one.
pub(super) async fn end_claim(
    transaction: &mut Transaction<'_>,
    case: &StoredCase,
    outcome: &str,
) -> Result<(), mysql_async::Error> {
    let Some(claim) = &case.claim else { return Ok(()) };
    let statement = "UPDATE review_claims SET ended_at = LEAST(NOW(6), ?), outcome = ? \
                     WHERE id = ? AND case_id = ? AND ended_at IS NULL";
    let until = crate::insertion::datetime(if outcome == "lapsed" { claim.until } else { FAR });
    let asked = vec![until, outcome.into(), claim.token.to_string().into(), case.case.to_string().into()];
    transaction.exec_drop(statement, Params::Positional(asked)).await
}

/// Later than any claim.
const FAR: OffsetDateTime = time::macros::datetime!(9999-01-01 0:00 UTC);

fn gone() -> Failure {
    Failure::new(sluice_core::failure::Kind::Transient, "case_gone", "the case that was claimed is gone; try again")
}
