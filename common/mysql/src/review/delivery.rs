//! Deliveries: each event to each endpoint, at least once, those of one post in order. Posts do not wait for each
//! other.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Row, Value};
use sluice_core::failure::Failure;
use uuid::Uuid;

use super::transaction::{again, begin};
use crate::Store;

/// How many events one statement makes deliveries of.
const PAGE: u32 = 500;
/// The longest error that is kept, in characters.
const ERROR_MAX_CHARS: usize = 500;

/// An event that is to be sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The decision.
    pub decision: Uuid,
    /// Its place in the feed.
    pub seq: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// The event: the bytes that are signed and sent.
    pub body: String,
}

/// A delivery that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed<'a> {
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// Why.
    pub error: &'a str,
    /// When to try again.
    pub again_in: Duration,
}

impl Store {
    /// Makes deliveries of the events that the endpoint has no deliveries of yet. Gives the number of these events.
    ///
    /// # Errors
    /// The server's.
    pub async fn enqueue_deliveries(&self, endpoint: &str) -> Result<u64, Failure> {
        let mut tried = 1;
        loop {
            match self.try_enqueue(endpoint).await {
                Err(failure) if again(&failure, tried).await => tried += 1,
                enqueued => return enqueued,
            }
        }
    }

    async fn try_enqueue(&self, endpoint: &str) -> Result<u64, Failure> {
        self.bounded("making deliveries", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let from = "SELECT seq FROM decision_endpoints WHERE name = ? FOR UPDATE";
            let Some(from) = transaction.exec_first::<u64, _, _>(from, (endpoint,)).await? else { return Ok(0) };
            let to =
                "SELECT MAX(seq) FROM (SELECT seq FROM decision_outbox WHERE seq > ? ORDER BY seq LIMIT ?) AS page";
            let to: Option<Option<u64>> = transaction.exec_first(to, (from, PAGE)).await?;
            let Some(to) = to.flatten() else { return Ok(0) };
            let make = "INSERT INTO decision_deliveries (endpoint, decision, post, seq, next_at) \
                        SELECT ?, decision, post, seq, NOW(6) FROM decision_outbox WHERE seq > ? AND seq <= ? \
                        ON DUPLICATE KEY UPDATE decision_deliveries.seq = decision_deliveries.seq";
            transaction.exec_drop(make, (endpoint, from, to)).await?;
            transaction.exec_drop("UPDATE decision_endpoints SET seq = ? WHERE name = ?", (to, endpoint)).await?;
            transaction.commit().await?;
            Ok(to - from)
        })
        .await
    }

    /// Takes the deliveries that are due, under a lease of this owner: at most `limit`, and of each post the first
    /// only.
    ///
    /// # Errors
    /// The server's.
    pub async fn due_deliveries(
        &self,
        endpoint: &str,
        owner: Uuid,
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<Delivery>, Failure> {
        self.bounded("the query for deliveries", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let due = "SELECT d.decision, d.seq, d.attempts FROM decision_deliveries d WHERE d.endpoint = ? \
                       AND d.delivered_at IS NULL AND d.next_at <= NOW(6) \
                       AND (d.lease_until IS NULL OR d.lease_until <= NOW(6)) \
                       AND NOT EXISTS (SELECT 1 FROM decision_deliveries e WHERE e.endpoint = d.endpoint \
                       AND e.post = d.post AND e.seq < d.seq AND e.delivered_at IS NULL) \
                       ORDER BY d.next_at, d.seq LIMIT ? FOR UPDATE SKIP LOCKED";
            let due: Vec<(String, u64, u32)> = transaction.exec(due, (endpoint, limit)).await?;
            let mut taken = Vec::with_capacity(due.len());
            for (decision, seq, attempts) in due {
                let take = "UPDATE decision_deliveries SET lease = ?, lease_until = NOW(6) + INTERVAL ? SECOND \
                            WHERE endpoint = ? AND decision = ?";
                transaction.exec_drop(take, (owner.to_string(), lease.as_secs(), endpoint, &decision)).await?;
                let body = "SELECT body FROM decision_outbox WHERE decision = ?";
                let body: Option<String> = transaction.exec_first(body, (&decision,)).await?;
                if let (Ok(decision), Some(body)) = (decision.parse(), body) {
                    taken.push(Delivery { decision, seq, attempts, body });
                }
            }
            transaction.commit().await?;
            Ok(taken)
        })
        .await
    }

    /// Notes that an endpoint took a delivery. This is believed even if the sender has lost its lease.
    ///
    /// # Errors
    /// The server's.
    pub async fn delivered(&self, endpoint: &str, decision: Uuid, status: Option<u16>) -> Result<(), Failure> {
        let statement = "UPDATE decision_deliveries SET delivered_at = COALESCE(delivered_at, NOW(6)), status = ?, \
                         attempts = attempts + 1, error = NULL, lease = NULL, lease_until = NULL \
                         WHERE endpoint = ? AND decision = ?";
        let asked = vec![status.into(), endpoint.into(), decision.to_string().into()];
        self.read::<Row>("noting a delivery", statement.to_owned(), asked).await.map(|_| ())
    }

    /// Notes that a delivery was not taken, unless another sender has it by now or it was taken after all.
    ///
    /// # Errors
    /// The server's.
    pub async fn delivery_failed(
        &self,
        endpoint: &str,
        decision: Uuid,
        owner: Uuid,
        failed: &Failed<'_>,
    ) -> Result<(), Failure> {
        let statement = "UPDATE decision_deliveries SET attempts = attempts + 1, status = ?, error = ?, \
                         next_at = NOW(6) + INTERVAL ? MICROSECOND, lease = NULL, lease_until = NULL \
                         WHERE endpoint = ? AND decision = ? AND lease = ? AND delivered_at IS NULL";
        let micros = u64::try_from(failed.again_in.as_micros()).unwrap_or(u64::MAX);
        let error: String = failed.error.chars().take(ERROR_MAX_CHARS).collect();
        let asked = vec![
            failed.status.into(),
            error.into(),
            micros.into(),
            endpoint.into(),
            decision.to_string().into(),
            owner.to_string().into(),
        ];
        self.read::<Row>("noting a delivery", statement.to_owned(), asked).await.map(|_| ())
    }

    /// Sends an endpoint everything after this place of the feed once more. Gives how many events.
    ///
    /// # Errors
    /// The server's.
    pub async fn resend(&self, endpoint: &str, after: u64) -> Result<u64, Failure> {
        self.bounded("resending", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let to = "SELECT seq FROM decision_endpoints WHERE name = ? FOR UPDATE";
            let Some(to) = transaction.exec_first::<u64, _, _>(to, (endpoint,)).await? else { return Ok(0) };
            let make = "INSERT INTO decision_deliveries (endpoint, decision, post, seq, next_at) \
                        SELECT ?, decision, post, seq, NOW(6) FROM decision_outbox WHERE seq > ? AND seq <= ? \
                        ON DUPLICATE KEY UPDATE delivered_at = NULL, attempts = 0, status = NULL, error = NULL, \
                        lease = NULL, lease_until = NULL, next_at = VALUES(next_at)";
            transaction.exec_drop(make, Params::Positional(vec![endpoint.into(), after.into(), to.into()])).await?;
            let count = "SELECT COUNT(*) FROM decision_deliveries WHERE endpoint = ? AND seq > ? AND seq <= ?";
            let asked = vec![Value::from(endpoint), after.into(), to.into()];
            let count: Option<u64> = transaction.exec_first(count, Params::Positional(asked)).await?;
            transaction.commit().await?;
            Ok(count.unwrap_or(0))
        })
        .await
    }
}
