//! How long posts waited for people's decisions lately.

use serde::Serialize;
use sluice_core::failure::Failure;

use super::measure::quantile;
use crate::Store;

/// The most decisions that are looked at: reading them takes the database some 30 ms.
const AT_MOST: u32 = 10_000;

/// How long the decisions of the last 24 hours took from the opening of their cases, in seconds; of the last 10,000
/// where there are more. What undoes another is not one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct TimeToDecision {
    /// How many decisions.
    pub decisions: usize,
    /// Half of them within.
    pub p50: f64,
    /// Nine tenths within.
    pub p90: f64,
    /// Ninety-nine hundredths within.
    pub p99: f64,
}

impl Store {
    /// How long decisions took lately.
    ///
    /// # Errors
    /// The server's.
    pub async fn time_to_decision(&self) -> Result<TimeToDecision, Failure> {
        let statement = format!(
            "SELECT CAST(GREATEST(TIMESTAMPDIFF(MICROSECOND, c.opened_at, d.decided_at), 0) / 1e6 AS DOUBLE) \
             FROM review_decisions d JOIN review_cases c ON c.id = d.case_id \
             WHERE d.decided_at >= NOW(6) - INTERVAL 1 DAY AND d.undoes IS NULL \
             ORDER BY d.decided_at DESC LIMIT {AT_MOST}"
        );
        let mut waits: Vec<f64> = self.read("measuring decisions", statement, Vec::new()).await?;
        waits.sort_by(f64::total_cmp);
        let [p50, p90, p99] = [50, 90, 99].map(|percent| quantile(&waits, percent));
        Ok(TimeToDecision { decisions: waits.len(), p50, p90, p99 })
    }
}
