//! The next case: by priority, then by age. Moderators who ask at the same moment do not wait for each other.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Value};
use serde::Serialize;
use sluice_core::failure::{Failure, Kind};
use sluice_core::moderation::{CaseState, Role};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::case::{COLUMNS, NOT_JOINED, StoredCase};
use super::claim::{Ask, take};
use super::transaction::{again, begin};
use crate::Store;

/// The wait before the second look: most locks are gone by then.
const PAUSE: Duration = Duration::from_millis(20);

/// What a look does with cases that somebody locks at this moment: they are being claimed or decided, or the sender
/// numbers what it tells the forum of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    /// Looks past them, so that moderators who ask at the same moment do not wait for each other.
    Skipped,
    /// Waits for them: on a busy disk a lock is held for as long as a commit takes, and nobody is told that nothing is
    /// free because of it.
    Awaited,
}

/// For how many hours a case that somebody skipped, or left to a lead, is not handed out to them again.
const SPARED_HOURS: u32 = 24;
/// The most such cases: the last ones.
const SPARED_MOST: u32 = 100;

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

impl Store {
    /// Hands out the next case: by priority, then by age. A case that this person skipped, or left to a lead, within the
    /// last day goes to others.
    ///
    /// # Errors
    /// The server's.
    pub async fn claim_next(&self, ask: Ask<'_>) -> Result<Claimed, Failure> {
        let mut locked = Locked::Skipped;
        loop {
            if let Some(case) = self.try_next(ask, locked).await? {
                return Ok(Claimed::Case(Box::new(self.case(case).await?.ok_or_else(gone)?)));
            }
            let nothing = self.nothing(ask.queue).await?;
            let free = match ask.role {
                Role::Lead => nothing.waiting + nothing.escalated,
                Role::Moderator => nothing.waiting,
            };
            if free == 0 || locked == Locked::Awaited {
                return Ok(Claimed::Nothing(nothing));
            }
            tokio::time::sleep(PAUSE).await;
            locked = Locked::Awaited;
        }
    }

    async fn try_next(&self, ask: Ask<'_>, locked: Locked) -> Result<Option<Uuid>, Failure> {
        let mut tried = 1;
        loop {
            let claimed = self
                .bounded("claiming the next case", async { next(&mut self.connection().await?, ask, locked).await })
                .await;
            match claimed {
                Err(failure) if again(&failure, tried).await => tried += 1,
                claimed => return claimed,
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
            self.read("counting cases", statement, asked).await?;
        let (waiting, claimed, escalated, next) = rows.into_iter().next().unwrap_or_default();
        Ok(Nothing { waiting, claimed, escalated, next_free_at: next.map(PrimitiveDateTime::assume_utc) })
    }
}

/// Finds the next case and takes it.
async fn next(connection: &mut Conn, ask: Ask<'_>, locked: Locked) -> Result<Option<Uuid>, mysql_async::Error> {
    let mut transaction = begin(connection).await?;
    let mine = "SELECT id FROM review_cases WHERE claim = ? AND state IN ('waiting', 'escalated')";
    let again: Option<String> = transaction.exec_first(mine, (ask.token.to_string(),)).await?;
    if let Some(case) = again {
        transaction.rollback().await?;
        return Ok(case.parse().ok());
    }
    let spared = "SELECT case_id FROM review_claims WHERE moderator = ? AND at > NOW(6) - INTERVAL ? HOUR \
                  AND outcome IN ('skipped', 'escalated') ORDER BY at DESC LIMIT ?";
    let spared: Vec<String> = transaction.exec(spared, (ask.by, SPARED_HOURS, SPARED_MOST)).await?;
    let but_not = match spared.len() {
        0 => String::new(),
        many => format!("AND c.id NOT IN ({})", vec!["?"; many].join(", ")),
    };
    let states: &[CaseState] = match ask.role {
        Role::Lead => &[CaseState::Escalated, CaseState::Waiting],
        Role::Moderator => &[CaseState::Waiting],
    };
    for state in states {
        let of_queue = if ask.queue.is_some() { "c.queue = ? AND" } else { "" };
        let skip = if locked == Locked::Skipped { "SKIP LOCKED" } else { "" };
        let statement = format!(
            "SELECT {COLUMNS}, {NOT_JOINED} FROM review_cases c WHERE {of_queue} c.state = ? \
             AND (c.claimed_until IS NULL OR c.claimed_until <= NOW(6)) AND (c.not_by IS NULL OR c.not_by <> ?) {but_not} \
             ORDER BY c.priority DESC, c.opened_at, c.id LIMIT 1 FOR UPDATE {skip}"
        );
        let mut asked: Vec<Value> = ask.queue.map(Value::from).into_iter().collect();
        asked.extend([state.as_str().into(), ask.by.into()]);
        asked.extend(spared.iter().map(Value::from));
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

fn gone() -> Failure {
    Failure::new(Kind::Transient, "case_gone", "the case that was claimed is gone; try again")
}
