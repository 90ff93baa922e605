//! Where decisions are sent, and how far each has come.

use mysql_async::FromRowError;
use mysql_async::Row;
use mysql_async::prelude::FromRow;
use serde::Serialize;
use sluice_core::failure::Failure;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Store;

/// An endpoint that the database knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name in the file of endpoints.
    pub name: String,
    /// Events up to this place of the feed are among its deliveries.
    pub seq: u64,
    /// Since when nothing is sent, UTC; none: it is sent to.
    pub paused_at: Option<OffsetDateTime>,
}

/// How an endpoint does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointStatus {
    /// Its name.
    pub endpoint: String,
    /// Events up to this place of the feed are among its deliveries.
    pub seq: u64,
    /// Events that it took, without those of posts that were pruned since.
    pub delivered: u64,
    /// Events that it has not taken yet.
    pub undelivered: u64,
    /// Of those, how many were tried and refused.
    pub failing: u64,
    /// When the oldest of them was decided, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest: Option<OffsetDateTime>,
    /// The last error.
    pub error: Option<String>,
    /// Since when nothing is sent, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub paused_at: Option<OffsetDateTime>,
    /// Who or what paused it.
    pub paused_by: Option<String>,
}

impl Store {
    /// Makes an endpoint known; events from now on are for it. One that is known stays as it is.
    ///
    /// # Errors
    /// The server's.
    pub async fn add_endpoint(&self, name: &str) -> Result<(), Failure> {
        let statement = "INSERT INTO decision_endpoints (name, seq, added_at) \
                         SELECT ?, COALESCE(MAX(last), 0), NOW(6) FROM decision_sequence \
                         ON DUPLICATE KEY UPDATE name = VALUES(name)";
        self.read::<Row>("adding an endpoint", statement.to_owned(), vec![name.into()]).await.map(|_| ())
    }

    /// The endpoints that the database knows.
    ///
    /// # Errors
    /// The server's.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, Failure> {
        let statement = "SELECT name, seq, paused_at FROM decision_endpoints ORDER BY name".to_owned();
        self.read("the query for endpoints", statement, Vec::new()).await
    }

    /// Pauses an endpoint, or goes on sending to it. `false`: it is not known.
    ///
    /// # Errors
    /// The server's.
    pub async fn pause_endpoint(&self, name: &str, paused_by: Option<&str>) -> Result<bool, Failure> {
        let statement = match paused_by {
            Some(_) => {
                "UPDATE decision_endpoints SET paused_at = COALESCE(paused_at, NOW(6)), paused_by = ? WHERE name = ?"
            }
            None => "UPDATE decision_endpoints SET paused_at = NULL, paused_by = ? WHERE name = ?",
        };
        self.read::<Row>("pausing an endpoint", statement.to_owned(), vec![paused_by.into(), name.into()]).await?;
        Ok(self.endpoints().await?.iter().any(|endpoint| endpoint.name == name))
    }

    /// How each endpoint does.
    ///
    /// # Errors
    /// The server's.
    pub async fn endpoint_statuses(&self) -> Result<Vec<EndpointStatus>, Failure> {
        let statement = "SELECT e.name, e.seq, e.paused_at, e.paused_by, \
             (SELECT COUNT(*) FROM decision_deliveries d WHERE d.endpoint = e.name AND d.delivered_at IS NOT NULL) AS delivered, \
             (SELECT COUNT(*) FROM decision_deliveries d WHERE d.endpoint = e.name AND d.delivered_at IS NULL) AS undelivered, \
             (SELECT COUNT(*) FROM decision_deliveries d WHERE d.endpoint = e.name AND d.delivered_at IS NULL \
              AND d.error IS NOT NULL) AS failing, \
             (SELECT MIN(o.at) FROM decision_deliveries d JOIN decision_outbox o ON o.decision = d.decision \
              WHERE d.endpoint = e.name AND d.delivered_at IS NULL) AS oldest, \
             (SELECT d.error FROM decision_deliveries d WHERE d.endpoint = e.name AND d.delivered_at IS NULL \
              AND d.error IS NOT NULL ORDER BY d.seq LIMIT 1) AS error \
             FROM decision_endpoints e ORDER BY e.name";
        self.read("the query for endpoints", statement.to_owned(), Vec::new()).await
    }
}

impl FromRow for Endpoint {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (name, seq, paused_at) = <(String, u64, Option<PrimitiveDateTime>)>::from_row_opt(row)?;
        Ok(Self { name, seq, paused_at: paused_at.map(PrimitiveDateTime::assume_utc) })
    }
}

impl FromRow for EndpointStatus {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (
            String,
            u64,
            Option<PrimitiveDateTime>,
            Option<String>,
            u64,
            u64,
            u64,
            Option<PrimitiveDateTime>,
            Option<String>,
        );
        let (endpoint, seq, paused_at, paused_by, delivered, undelivered, failing, oldest, error) =
            Columns::from_row_opt(row)?;
        let at = |time: Option<PrimitiveDateTime>| time.map(PrimitiveDateTime::assume_utc);
        let (paused_at, oldest) = (at(paused_at), at(oldest));
        Ok(Self { endpoint, seq, delivered, undelivered, failing, oldest, error, paused_at, paused_by })
    }
}
