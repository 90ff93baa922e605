//! Figures of people's review.

use std::collections::BTreeMap;

use mysql_async::Value;
use serde::Serialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::{Agreement, Precision};
use sluice_core::verdict::Verdict;
use time::OffsetDateTime;

use super::decision::verdict;
use super::precision::{RULES, rules};
use crate::Store;

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
    /// How far second opinions agree with the decisions, told apart by those: by who made the first decision, for
    /// instance.
    #[serde(flatten)]
    pub agreement: Agreement,
    /// How often what stands for a post, by a decision made since then, says the same as the rule; none if these are not
    /// the figures of a rule.
    pub precision: Option<Precision>,
}

impl Store {
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
            Some("rule") => (RULES, None, "LEFT JOIN posts p ON p.id = d.post"),
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
        for (of, pairs) in self.pairs(since.clone(), (of, posts), by == Some("rule")).await? {
            line(&mut measures, of).agreement = Agreement::of(pairs);
        }
        let Some(holder) = holder else {
            let mut rules = self.precision(&since).await?;
            let precision = |line: &mut Measures| line.precision = Some(rules.remove(&line.of).unwrap_or_default());
            measures.iter_mut().for_each(precision);
            return Ok(measures);
        };
        let statement = format!(
            "SELECT {holder}, COUNT(*) FROM review_claims l JOIN review_cases c ON c.id = l.case_id \
             WHERE l.outcome = 'lapsed' AND l.at >= ? GROUP BY 1"
        );
        let lapsed: Vec<(String, u64)> = self.read("measuring claims", statement, vec![since]).await?;
        for (of, lapsed) in lapsed {
            line(&mut measures, of).lapsed = lapsed;
        }
        Ok(measures)
    }

    /// Decisions, each with the second opinion on it that was given since this time.
    async fn pairs(
        &self,
        since: Value,
        (of, posts): (&str, &str),
        by_rule: bool,
    ) -> Result<BTreeMap<String, Vec<(Verdict, Verdict)>>, Failure> {
        let statement = format!(
            "SELECT {of}, d.verdict, o.verdict FROM second_opinions o JOIN review_decisions d ON d.id = o.of_decision \
             JOIN review_cases c ON c.id = d.case_id {posts} WHERE o.given_at >= ?"
        );
        let rows: Vec<(String, String, String)> = self.read("measuring agreement", statement, vec![since]).await?;
        let mut pairs: BTreeMap<String, Vec<(Verdict, Verdict)>> = BTreeMap::new();
        for (of, first, second) in rows {
            let (Some(first), Some(second)) = (verdict(&first), verdict(&second)) else { continue };
            let lines = if by_rule { rules(&of) } else { vec![of] };
            lines.into_iter().for_each(|of| pairs.entry(of).or_default().push((first, second)));
        }
        Ok(pairs)
    }
}

/// The line of this name; a new one where there is none.
fn line(measures: &mut Vec<Measures>, of: String) -> &mut Measures {
    let at = measures.iter().position(|measures| measures.of == of).unwrap_or(measures.len());
    if at == measures.len() {
        measures.push(Measures { of, ..Measures::default() });
    }
    &mut measures[at]
}

/// A decision as far as it is measured: of whom or what, the verdict, whether it undoes another, was undone and overturned
/// one on appeal; the seconds from the opening of the case and from the claim.
type Measured = (String, String, bool, bool, bool, f64, Option<f64>);

/// A decision once for each rule that spoke against its post.
fn by_rule((reasons, verdict, undo, undone, overturned, wait, handling): &Measured) -> Vec<Measured> {
    let of = |rule| (rule, verdict.clone(), *undo, *undone, *overturned, *wait, *handling);
    rules(reasons).into_iter().map(of).collect()
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
        agreement: Agreement::default(),
        precision: None,
    }
}

/// The value that so many per cent of sorted values do not exceed; 0 of none.
pub(super) fn quantile(sorted: &[f64], percent: usize) -> f64 {
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
