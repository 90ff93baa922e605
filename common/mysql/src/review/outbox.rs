//! The outbox: events are written with what they tell of, and given their places in the feed afterwards.
//!
//! A number that is taken at the insert is not the order of commits: whoever has read up to 7 would miss a 6 that is
//! committed later. So an event has no number at first. Whoever gives numbers locks the one row of the counter, so the
//! numbers are committed in their order.

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, FromRowError, Params, Row, Transaction, Value};
use sluice_core::failure::Failure;
use sluice_core::moderation::Event;
use time::{Duration, PrimitiveDateTime};

use super::announce::{self, TO_ANNOUNCE};
use super::transaction::{again, begin};
use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

/// How many decisions, and how many held posts, get their places in one transaction.
const PAGE: u32 = 200;

/// An event that is to get its place, as the table has it.
struct Due {
    decision: String,
    post: String,
    revision: u32,
    body: String,
    at: PrimitiveDateTime,
}

/// Adds an event that has no place yet.
pub(super) async fn add(transaction: &mut Transaction<'_>, event: &Event) -> Result<(), mysql_async::Error> {
    let statement = "INSERT INTO decision_outbox (decision, post, revision, body, at) VALUES (?, ?, ?, ?, ?)";
    let (id, post) = (event.id.to_string(), event.post.to_string());
    let values =
        vec![id.into(), post.into(), event.revision.into(), event.to_body().into(), datetime(event.decided_at)];
    transaction.exec_drop(statement, Params::Positional(values)).await
}

impl Store {
    /// Gives the events that are older than `delay` their places in the feed, those of one post in the order of their
    /// revisions: first those of held posts, which are made here, then those of decisions. Gives how many.
    ///
    /// # Errors
    /// The server's.
    pub async fn number_events(&self, delay: Duration) -> Result<u64, Failure> {
        let mut tried = 1;
        loop {
            match self.try_number(delay).await {
                Err(failure) if again(&failure, tried).await => tried += 1,
                numbered => return numbered,
            }
        }
    }

    async fn try_number(&self, delay: Duration) -> Result<u64, Failure> {
        self.bounded("numbering events", async {
            let mut connection = self.connection().await?;
            let micros = i64::try_from(delay.whole_microseconds()).unwrap_or(i64::MAX);
            if !anything_due(&mut connection, micros).await? {
                return Ok(0);
            }
            connection.query_drop("INSERT IGNORE INTO decision_sequence (id, last) VALUES (1, 0)").await?;
            let mut transaction = begin(&mut connection).await?;
            let last = "SELECT last FROM decision_sequence WHERE id = 1 FOR UPDATE";
            let last: u64 = transaction.query_first(last).await?.ok_or_else(no_row)?;
            let decisions = decided(&mut transaction, micros).await?;
            let held = announce::due(&mut transaction, micros, PAGE).await?;
            let cases: Vec<Value> = held.iter().map(|event| event.id.to_string().into()).collect();
            let due: Vec<Due> = held.into_iter().map(Due::from).chain(decisions).collect();
            if due.is_empty() {
                return Ok(0);
            }
            let numbered = due.len() as u64;
            place(&mut transaction, due, last).await?;
            announce::announced(&mut transaction, &cases).await?;
            let set = "UPDATE decision_sequence SET last = ? WHERE id = 1";
            transaction.exec_drop(set, (last + numbered,)).await?;
            transaction.commit().await?;
            Ok(numbered)
        })
        .await
    }

    /// The events after this place of the feed, in order, at most `limit`: their places and bodies.
    ///
    /// # Errors
    /// The server's.
    pub async fn events(&self, after: u64, limit: u32) -> Result<Vec<(u64, String)>, Failure> {
        let statement = "SELECT seq, body FROM decision_outbox WHERE seq > ? ORDER BY seq LIMIT ?".to_owned();
        self.read("reading the feed", statement, vec![Value::from(after), limit.into()]).await
    }

    /// The last place of the feed that was given, 0 before the first; its event may be pruned by now.
    ///
    /// # Errors
    /// The server's.
    pub async fn last_event(&self) -> Result<u64, Failure> {
        let statement = "SELECT COALESCE(MAX(last), 0) FROM decision_sequence".to_owned();
        Ok(self.read("reading the feed", statement, Vec::new()).await?.into_iter().next().unwrap_or(0))
    }
}

/// Whether there is anything to do: nobody need lock anything while there is not.
async fn anything_due(connection: &mut Conn, micros: i64) -> Result<bool, mysql_async::Error> {
    let due = format!(
        "SELECT 1 FROM DUAL WHERE EXISTS (SELECT 1 FROM decision_outbox \
         WHERE seq IS NULL AND at <= NOW(6) - INTERVAL ? MICROSECOND) \
         OR EXISTS (SELECT 1 FROM review_cases WHERE {TO_ANNOUNCE} AND opened_at <= NOW(6) - INTERVAL ? MICROSECOND)"
    );
    Ok(connection.exec_first::<u8, _, _>(due, (micros, micros)).await?.is_some())
}

/// The decisions whose turn it is. An earlier event of the same post comes first, whatever the clocks said.
async fn decided(transaction: &mut Transaction<'_>, micros: i64) -> Result<Vec<Due>, mysql_async::Error> {
    let statement = format!(
        "SELECT o.decision, o.post, o.revision, o.body, o.at FROM decision_outbox o WHERE o.seq IS NULL \
         AND o.at <= NOW(6) - INTERVAL ? MICROSECOND AND NOT EXISTS (SELECT 1 FROM decision_outbox e \
         WHERE e.post = o.post AND e.revision < o.revision AND e.seq IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM review_cases c WHERE c.post = o.post AND {TO_ANNOUNCE}) \
         ORDER BY o.at, o.decision LIMIT ?"
    );
    transaction.exec(statement, (micros, PAGE)).await
}

/// Gives events the places after `last`, in their order, all in one statement: those of decisions are there, and only
/// their places and bodies change; those of held posts are new.
async fn place(transaction: &mut Transaction<'_>, due: Vec<Due>, last: u64) -> Result<(), mysql_async::Error> {
    let rows = vec!["(?, ?, ?, ?, ?, ?)"; due.len()].join(", ");
    let statement = format!(
        "INSERT INTO decision_outbox (decision, post, revision, seq, body, at) VALUES {rows} \
         ON DUPLICATE KEY UPDATE seq = VALUES(seq), body = VALUES(body)"
    );
    let values = (last + 1..).zip(due).flat_map(|(seq, Due { decision, post, revision, body, at })| {
        let body = numbered(&body, seq);
        [decision.into(), post.into(), revision.into(), seq.into(), body.into(), at.into()]
    });
    transaction.exec_drop(statement, Params::Positional(values.collect())).await
}

/// An event's body with its place. What no version of ours wrote is left as it is.
fn numbered(body: &str, seq: u64) -> String {
    match serde_json::from_str::<Event>(body) {
        Ok(event) => Event { seq: Some(seq), ..event }.to_body(),
        Err(_) => body.to_owned(),
    }
}

impl From<Event> for Due {
    fn from(event: Event) -> Self {
        Self {
            decision: event.id.to_string(),
            post: event.post.to_string(),
            revision: event.revision,
            body: event.to_body(),
            at: PrimitiveDateTime::new(event.decided_at.date(), event.decided_at.time()),
        }
    }
}

impl FromRow for Due {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (decision, post, revision, body, at) = FromRow::from_row_opt(row)?;
        Ok(Self { decision, post, revision, body, at })
    }
}
