//! Figures of people's review.

use mysql_async::Value;
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_core::verdict::Reason;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::Store;

/// How many posts one query asks for.
const ASK: usize = 500;

/// What is waiting for people, and for the forum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Cases that wait for anybody.
    pub waiting: u64,
    /// Cases that wait for a lead.
    pub escalated: u64,
    /// Cases that moderators have claimed.
    pub claimed: u64,
    /// When the oldest open case was opened, UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest: Option<OffsetDateTime>,
    /// Events that have no place in the feed yet.
    pub unnumbered: u64,
    /// Deliveries that an endpoint has not taken yet.
    pub undelivered: u64,
}

/// What was decided since some time, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Of whom or what: a moderator, a queue, a category or a rule; `all` for all of them.
    pub of: String,
    /// Decisions.
    pub decisions: u64,
    /// Of them approvals.
    pub approved: u64,
    /// Of them rejections.
    pub rejected: u64,
    /// Decisions that were undone.
    pub undone: u64,
    /// Appeals that ended with another verdict.
    pub overturned: u64,
    /// Claims whose time was over before a decision, and whose case somebody claimed again; not told apart by rule.
    pub lapsed: u64,
    /// From the opening of the case to the decision: half of them within.
    pub to_decision_p50: f64,
    /// Nine tenths within.
    pub to_decision_p90: f64,
    /// Ninety-nine hundredths within.
    pub to_decision_p99: f64,
    /// From the claim to the decision: half of them within.
    pub handling_p50: f64,
    /// Nine tenths within.
    pub handling_p90: f64,
    /// Ninety-nine hundredths within.
    pub handling_p99: f64,
}

impl Store {
    /// What is waiting.
    ///
    /// # Errors
    /// The server's.
    pub async fn review_counts(&self) -> Result<ReviewCounts, Failure> {
        type Columns = (u64, u64, u64, Option<PrimitiveDateTime>, u64, u64);
        let statement = "SELECT COALESCE(SUM(c.state = 'waiting' AND NOT COALESCE(c.claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(c.state = 'escalated' AND NOT COALESCE(c.claimed_until > NOW(6), 0)), 0), \
             COALESCE(SUM(COALESCE(c.claimed_until > NOW(6), 0)), 0), MIN(c.opened_at), \
             (SELECT COUNT(*) FROM decision_outbox WHERE seq IS NULL) \
             + (SELECT COUNT(*) FROM review_cases WHERE announced_at IS NULL AND kind = 'held'), \
             (SELECT COUNT(*) FROM decision_endpoints e JOIN decision_deliveries d ON d.endpoint = e.name \
              AND d.delivered_at IS NULL) \
             FROM review_cases c WHERE c.state IN ('waiting', 'escalated')";
        let rows: Vec<Columns> = self.read("counting cases", statement.to_owned(), Vec::new()).await?;
        let (waiting, escalated, claimed, oldest, unnumbered, undelivered) =
            rows.into_iter().next().unwrap_or_default();
        let oldest = oldest.map(PrimitiveDateTime::assume_utc);
        Ok(ReviewCounts { waiting, escalated, claimed, oldest, unnumbered, undelivered })
    }

    /// Of these posts: the held ones that have not exactly one case of their own, and the decisions that are not in the
    /// outbox.
    ///
    /// # Errors
    /// The server's.
    pub async fn unaccounted(&self, posts: &[PostId]) -> Result<(Vec<PostId>, u64), Failure> {
        let (mut without, mut lost) = (Vec::new(), 0);
        for posts in posts.chunks(ASK) {
            let marks = vec!["?"; posts.len()].join(", ");
            let asked: Vec<Value> = posts.iter().map(|post| post.to_string().into()).collect();
            let held = format!(
                "SELECT p.id FROM posts p LEFT JOIN review_cases c ON c.post = p.id AND c.kind = 'held' \
                 WHERE p.verdict = 'held' AND p.id IN ({marks}) AND c.id IS NULL"
            );
            let held: Vec<String> = self.read("the query for cases", held, asked.clone()).await?;
            without.extend(held.iter().filter_map(|id| id.parse::<PostId>().ok()));
            let untold = format!(
                "SELECT COUNT(*) FROM review_decisions d LEFT JOIN decision_outbox o ON o.decision = d.id \
                 WHERE d.post IN ({marks}) AND o.decision IS NULL"
            );
            let untold: Vec<u64> = self.read("the query for decisions", untold, asked).await?;
            lost += untold.first().copied().unwrap_or(0);
        }
        Ok((without, lost))
    }

    /// What was decided since this time: by all, or by each moderator, queue, category or rule (`by` is one of
    /// `moderator`, `queue`, `category`, `rule`). A decision counts once for each rule that spoke against its post.
    ///
    /// # Errors
    /// The server's.
    pub async fn measures(&self, since: OffsetDateTime, by: Option<&str>) -> Result<Vec<Measures>, Failure> {
        let since = crate::insertion::datetime(since);
        let (of, holder, posts) = match by {
            Some("moderator") => ("d.decided_by", Some("l.moderator"), ""),
            Some("queue") => ("c.queue", Some("c.queue"), ""),
            Some("category") => ("c.category", Some("c.category"), ""),
            Some("rule") => ("CAST(COALESCE(p.reasons, '[]') AS CHAR)", None, "LEFT JOIN posts p ON p.id = d.post"),
            _ => ("'all'", Some("'all'"), ""),
        };
        let statement = format!(
            "SELECT {of}, d.verdict, d.undoes IS NOT NULL, \
             EXISTS (SELECT 1 FROM review_decisions u WHERE u.post = d.post AND u.undoes = d.id), \
             d.cause = 'appeal' AND d.verdict <> d.previous, \
             CAST(GREATEST(TIMESTAMPDIFF(MICROSECOND, c.opened_at, d.decided_at), 0) / 1e6 AS DOUBLE), \
             CAST(d.handling_ms / 1e3 AS DOUBLE) \
             FROM review_decisions d JOIN review_cases c ON c.id = d.case_id {posts} WHERE d.decided_at >= ?"
        );
        let mut rows: Vec<Measured> = self.read("measuring decisions", statement, vec![since.clone()]).await?;
        if by == Some("rule") {
            rows = rows.iter().flat_map(by_rule).collect();
        }
        // The database's order takes capitals for small letters.
        rows.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut measures: Vec<Measures> = rows.chunk_by(|(one, ..), (other, ..)| one == other).map(sum_up).collect();
        let Some(holder) = holder else { return Ok(measures) };
        let statement = format!(
            "SELECT {holder}, COUNT(*) FROM review_claims l JOIN review_cases c ON c.id = l.case_id \
             WHERE l.outcome = 'lapsed' AND l.at >= ? GROUP BY 1"
        );
        let lapsed: Vec<(String, u64)> = self.read("measuring claims", statement, vec![since]).await?;
        for (of, lapsed) in lapsed {
            match measures.iter_mut().find(|measures| measures.of == of) {
                Some(measures) => measures.lapsed = lapsed,
                None => measures.push(Measures { of, lapsed, ..Measures::default() }),
            }
        }
        Ok(measures)
    }
}

/// A decision as far as it is measured: of whom or what, the verdict, whether it undoes another, was undone and overturned
/// one on appeal; the seconds from the opening of the case and from the claim.
type Measured = (String, String, bool, bool, bool, f64, Option<f64>);

/// A decision once for each rule that spoke against its post.
fn by_rule((reasons, verdict, undo, undone, overturned, wait, handling): &Measured) -> Vec<Measured> {
    let reasons: Vec<Reason> = serde_json::from_str(reasons).unwrap_or_default();
    let mut rules: Vec<String> = reasons.into_iter().map(|reason| reason.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let of = |rule| (rule, verdict.clone(), *undo, *undone, *overturned, *wait, *handling);
    rules.into_iter().map(of).collect()
}

fn sum_up(rows: &[Measured]) -> Measures {
    let of = rows.first().map(|(of, ..)| of.clone()).unwrap_or_default();
    let decided: Vec<_> = rows.iter().filter(|(_, _, undo, ..)| !undo).collect();
    let count = |fits: &dyn Fn(&&&Measured) -> bool| decided.iter().filter(fits).count() as u64;
    let sorted = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times
    };
    let waits = sorted(decided.iter().map(|row| row.5).collect());
    let handling = sorted(decided.iter().filter_map(|row| row.6).collect());
    Measures {
        of,
        decisions: decided.len() as u64,
        approved: count(&|row| row.1 == "approved"),
        rejected: count(&|row| row.1 == "rejected"),
        undone: count(&|row| row.3),
        overturned: count(&|row| row.4),
        to_decision_p50: quantile(&waits, 50),
        to_decision_p90: quantile(&waits, 90),
        to_decision_p99: quantile(&waits, 99),
        handling_p50: quantile(&handling, 50),
        handling_p90: quantile(&handling, 90),
        handling_p99: quantile(&handling, 99),
        lapsed: 0,
    }
}

/// The value that so many per cent of sorted values do not exceed; 0 of none.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_the_least_value_that_so_many_do_not_exceed() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!([50, 90, 99].map(|percent| quantile(&values, percent)), [5.0, 9.0, 10.0]);
        assert_eq!((quantile(&[], 50), quantile(&[7.0], 1)), (0.0, 7.0));
    }
}
