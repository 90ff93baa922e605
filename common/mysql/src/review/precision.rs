//! How precise each rule is, by what stands for the posts that it spoke against.

use std::collections::BTreeMap;

use mysql_async::Value;
use sluice_core::failure::Failure;
use sluice_core::moderation::Precision;
use sluice_core::verdict::Verdict;

use super::decided::STANDS;
use super::decision::verdict;
use crate::Store;

/// The rules that spoke against a post `p`, as JSON; one that found several things is named as often.
pub(super) const RULES: &str = "COALESCE(CAST(JSON_EXTRACT(p.reasons, '$[*].rule') AS CHAR), '[]')";
/// How many posts are read at once.
const PAGE: u32 = 10_000;

impl Store {
    /// The precision of each rule, by the posts that [`Store::decided_posts`] has.
    pub(super) async fn precision(&self, since: &Value) -> Result<BTreeMap<String, Precision>, Failure> {
        let statement = format!(
            "SELECT d.post, {RULES}, d.verdict FROM review_decisions d JOIN posts p ON p.id = d.post \
             WHERE {STANDS} ORDER BY d.post LIMIT ?"
        );
        let (mut decided, mut after) = (BTreeMap::<String, Vec<(bool, Verdict)>>::new(), String::new());
        loop {
            let asked = vec![after.into(), since.clone(), PAGE.into()];
            let posts: Vec<(String, String, String)> = self.read("measuring rules", statement.clone(), asked).await?;
            for (_, named, says) in &posts {
                let (rules, Some(verdict)) = (rules(named), verdict(says)) else { continue };
                let alone = rules.len() == 1;
                rules.into_iter().for_each(|rule| decided.entry(rule).or_default().push((alone, verdict)));
            }
            let Some((last, ..)) = posts.into_iter().next_back() else { break };
            after = last;
        }
        Ok(decided.into_iter().map(|(rule, posts)| (rule, Precision::of(&posts))).collect())
    }
}

/// The rules that [`RULES`] names, each once.
pub(super) fn rules(named: &str) -> Vec<String> {
    let mut rules: Vec<String> = serde_json::from_str(named).unwrap_or_default();
    rules.sort_unstable();
    rules.dedup();
    rules
}
