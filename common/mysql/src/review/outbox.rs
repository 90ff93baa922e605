//! The outbox: events are written with what they tell of, and given their places in the feed afterwards.
//!
//! A number that is taken at the insert is not the order of commits: whoever has read up to 7 would miss a 6 that is
//! committed later. So an event has no number at first. Whoever gives numbers locks the one row of the counter, so the
//! numbers are committed in their order.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::failure::Failure;
use sluice_core::moderation::Event;
use time::Duration;

use super::transaction::{again, begin};
use crate::Store;
use crate::failure::no_row;
use crate::insertion::datetime;

/// How many events are numbered in one transaction.
const PAGE: u32 = 200;

/// Adds events that have no number yet.
pub(super) async fn add(transaction: &mut Transaction<'_>, events: &[Event]) -> Result<(), mysql_async::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let rows = vec!["(?, ?, ?, ?, ?)"; events.len()].join(", ");
    let statement = format!("INSERT INTO decision_outbox (decision, post, revision, body, at) VALUES {rows}");
    let values = events.iter().flat_map(|event| {
        let (id, post) = (event.id.to_string(), event.post.to_string());
        [id.into(), post.into(), event.revision.into(), event.to_body().into(), datetime(event.decided_at)]
    });
    transaction.exec_drop(statement, Params::Positional(values.collect())).await
}

impl Store {
    /// Gives the events that are older than `delay` their places in the feed, those of one post in the order of their
    /// revisions. Gives how many.
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
        let pool = self.pool();
        self.bounded("numbering events", async {
            let mut connection = pool.get_conn().await?;
            // Nobody need lock anything while there is nothing to do.
            let due =
                "SELECT 1 FROM decision_outbox WHERE seq IS NULL AND at <= NOW(6) - INTERVAL ? MICROSECOND LIMIT 1";
            let micros = i64::try_from(delay.whole_microseconds()).unwrap_or(i64::MAX);
            if connection.exec_first::<u8, _, _>(due, (micros,)).await?.is_none() {
                return Ok(0);
            }
            connection.query_drop("INSERT IGNORE INTO decision_sequence (id, last) VALUES (1, 0)").await?;
            let mut transaction = begin(&mut connection).await?;
            let last = "SELECT last FROM decision_sequence WHERE id = 1 FOR UPDATE";
            let mut last: u64 = transaction.query_first(last).await?.ok_or_else(no_row)?;
            // An earlier event of the same post that is not numbered comes first, whatever the clocks said.
            let due = "SELECT o.decision, o.body FROM decision_outbox o WHERE o.seq IS NULL \
                       AND o.at <= NOW(6) - INTERVAL ? MICROSECOND AND NOT EXISTS (SELECT 1 FROM decision_outbox e \
                       WHERE e.post = o.post AND e.revision < o.revision AND e.seq IS NULL) \
                       ORDER BY o.at, o.decision LIMIT ?";
            let due: Vec<(String, String)> = transaction.exec(due, (micros, PAGE)).await?;
            if due.is_empty() {
                return Ok(0);
            }
            let rows = vec!["(?, '', 0, ?, ?, NOW(6))"; due.len()].join(", ");
            // Every row is there: only its place and its body change, all in one statement.
            let set = format!(
                "INSERT INTO decision_outbox (decision, post, revision, seq, body, at) VALUES {rows} \
                 ON DUPLICATE KEY UPDATE seq = VALUES(seq), body = VALUES(body)"
            );
            let mut values: Vec<Value> = Vec::with_capacity(due.len() * 3);
            for (decision, body) in &due {
                last += 1;
                values.extend([decision.as_str().into(), last.into(), numbered(body, last).into()]);
            }
            transaction.exec_drop(set, Params::Positional(values)).await?;
            transaction.exec_drop("UPDATE decision_sequence SET last = ? WHERE id = 1", (last,)).await?;
            transaction.commit().await?;
            Ok(due.len() as u64)
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

    /// The last place of the feed that is taken, 0 while it is empty.
    ///
    /// # Errors
    /// The server's.
    pub async fn last_event(&self) -> Result<u64, Failure> {
        let statement = "SELECT COALESCE(MAX(seq), 0) FROM decision_outbox".to_owned();
        Ok(self.read("reading the feed", statement, Vec::new()).await?.into_iter().next().unwrap_or(0))
    }
}

/// An event's body with its place. What no version of ours wrote is left as it is.
fn numbered(body: &str, seq: u64) -> String {
    match serde_json::from_str::<Event>(body) {
        Ok(event) => Event { seq: Some(seq), ..event }.to_body(),
        Err(_) => body.to_owned(),
    }
}
