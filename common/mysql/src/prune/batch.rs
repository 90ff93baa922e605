//! Some old posts: which of them may go, and their end, in one short transaction.
//!
//! The cases of all of them are locked first, as by everything else that changes what people decided; then the
//! endpoints, so that no event is sent again in the meantime. What is read afterwards stays true until the commit.

use std::collections::{BTreeMap, HashMap, HashSet};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Transaction, Value};
use sluice_core::failure::Failure;

use super::Prune;
use crate::Store;
use crate::insertion::datetime;
use crate::review::{again, begin};

/// Why an old post stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// A case of it is open: it waits for a person, as a held post, an appeal or for a second review.
    OpenCase,
    /// It is held and has no case yet.
    HeldWithoutCase,
    /// Its author may still appeal.
    Appealable,
    /// Its last decision is younger than the limit.
    DecidedSince,
    /// An event of it has no place in the feed yet, or an endpoint has not taken it.
    Undelivered,
    /// Another verdict stands than those that were asked for.
    OtherVerdict,
}

impl Keep {
    /// All reasons, the strongest first.
    pub const ALL: [Self; 6] = [
        Self::OpenCase,
        Self::HeldWithoutCase,
        Self::Appealable,
        Self::DecidedSince,
        Self::Undelivered,
        Self::OtherVerdict,
    ];

    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenCase => "open_case",
            Self::HeldWithoutCase => "held_without_case",
            Self::Appealable => "appealable",
            Self::DecidedSince => "decided_since",
            Self::Undelivered => "undelivered",
            Self::OtherVerdict => "other_verdict",
        }
    }
}

/// What became of some old posts, or would become of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// How many were deleted.
    pub pruned: u64,
    /// How many stay, and why.
    pub kept: BTreeMap<Keep, u64>,
}

/// The posts of a batch that have cases.
#[derive(Default)]
struct Reviewed {
    posts: HashSet<String>,
    open: HashSet<String>,
    untold: HashSet<String>,
}

impl Store {
    /// Deletes those of these posts that may go, with all that people's review has of them, and notes their ids.
    /// `rehearsed`: nothing is changed or locked, and what would be done is told. It may be repeated: a post that is
    /// gone is in no result.
    ///
    /// # Errors
    /// The server's.
    pub async fn prune_batch(&self, prune: &Prune, ids: &[String], rehearsed: bool) -> Result<Batch, Failure> {
        let mut tried = 1;
        loop {
            let done = self
                .bounded("pruning posts", async {
                    let mut connection = self.connection().await?;
                    let mut transaction = begin(&mut connection).await?;
                    let lock = if rehearsed { "" } else { " FOR UPDATE" };
                    let reviewed = reviewed(&mut transaction, ids, lock).await?;
                    let (gone, kept) = sorted(&mut transaction, prune, ids, &reviewed, lock).await?;
                    let batch = Batch { pruned: gone.len() as u64, kept };
                    if rehearsed || gone.is_empty() {
                        return Ok(batch);
                    }
                    delete(&mut transaction, prune, &gone, &reviewed).await?;
                    transaction.commit().await?;
                    Ok(batch)
                })
                .await;
            match done {
                Err(failure) if again(&failure, tried).await => tried += 1,
                done => return done,
            }
        }
    }
}

/// The cases of these posts, and whose events the forum has not been told.
async fn reviewed(
    transaction: &mut Transaction<'_>,
    ids: &[String],
    lock: &str,
) -> Result<Reviewed, mysql_async::Error> {
    let statement = format!(
        "SELECT post, state IN ('waiting', 'escalated'), kind = 'held' AND announced_at IS NULL \
         FROM review_cases WHERE post IN ({}){lock}",
        marks(ids.len())
    );
    let cases: Vec<(String, bool, bool)> = transaction.exec(statement, texts(ids)).await?;
    let mut reviewed = Reviewed::default();
    for (post, open, unannounced) in cases {
        reviewed.open.extend(open.then(|| post.clone()));
        reviewed.untold.extend(unannounced.then(|| post.clone()));
        reviewed.posts.insert(post);
    }
    if !reviewed.posts.is_empty() {
        transaction.query_drop(format!("SELECT name FROM decision_endpoints{lock}")).await?;
        let untold = format!(
            "SELECT o.post FROM decision_outbox o WHERE o.post IN ({}) AND (o.seq IS NULL \
             OR EXISTS (SELECT 1 FROM decision_endpoints e WHERE e.seq < o.seq) \
             OR EXISTS (SELECT 1 FROM decision_endpoints e JOIN decision_deliveries d ON d.endpoint = e.name \
             AND d.decision = o.decision WHERE d.delivered_at IS NULL))",
            marks(reviewed.posts.len())
        );
        let untold: Vec<String> = transaction.exec(untold, texts(&reviewed.posts)).await?;
        reviewed.untold.extend(untold);
    }
    Ok(reviewed)
}

/// Which posts go, and how many of the others stay for which reason.
async fn sorted(
    transaction: &mut Transaction<'_>,
    prune: &Prune,
    ids: &[String],
    reviewed: &Reviewed,
    lock: &str,
) -> Result<(Vec<String>, BTreeMap<Keep, u64>), mysql_async::Error> {
    let decided = format!(
        "SELECT d.post, d.verdict, d.decided_at >= ?, COALESCE(d.verdict = 'rejected' AND d.appealable_until > NOW(6), 0) \
         FROM review_decisions d WHERE d.post IN ({}) ORDER BY d.post, d.revision",
        marks(reviewed.posts.len())
    );
    let mut last: HashMap<String, (String, bool, bool)> = HashMap::new();
    if !reviewed.posts.is_empty() {
        let asked = [vec![datetime(prune.before)], values(&reviewed.posts)].concat();
        let decisions: Vec<(String, String, bool, bool)> = transaction.exec(decided, Params::Positional(asked)).await?;
        // Of each post, the last one stays.
        last.extend(decisions.into_iter().map(|(post, verdict, since, until)| (post, (verdict, since, until))));
    }
    let there = format!("SELECT id, verdict FROM posts WHERE id IN ({}) AND recorded_at < ?{lock}", marks(ids.len()));
    let asked = [values(ids), vec![datetime(prune.before)]].concat();
    let there: Vec<(String, String)> = transaction.exec(there, Params::Positional(asked)).await?;
    let (mut gone, mut kept) = (Vec::with_capacity(there.len()), BTreeMap::new());
    for (post, reviewed_as) in there {
        let (stands, since, appealable) = last.remove(&post).unwrap_or_else(|| (reviewed_as.clone(), false, false));
        let wanted = prune.verdicts.is_empty() || prune.verdicts.iter().any(|verdict| verdict.as_str() == stands);
        let keep = if reviewed.open.contains(&post) {
            Keep::OpenCase
        } else if reviewed_as == "held" && !reviewed.posts.contains(&post) {
            Keep::HeldWithoutCase
        } else if appealable {
            Keep::Appealable
        } else if since {
            Keep::DecidedSince
        } else if !wanted {
            Keep::OtherVerdict
        } else if reviewed.untold.contains(&post) {
            Keep::Undelivered
        } else {
            gone.push(post);
            continue;
        };
        *kept.entry(keep).or_default() += 1;
    }
    Ok((gone, kept))
}

/// Deletes these posts and what people's review has of them.
async fn delete(
    transaction: &mut Transaction<'_>,
    prune: &Prune,
    gone: &[String],
    reviewed: &Reviewed,
) -> Result<(), mysql_async::Error> {
    let id = Value::from(prune.id.to_string());
    let noted = format!(
        "INSERT INTO pruned_posts (post, prune) VALUES {} ON DUPLICATE KEY UPDATE prune = VALUES(prune)",
        vec!["(?, ?)"; gone.len()].join(", ")
    );
    let noting = gone.iter().flat_map(|post| [post.into(), id.clone()]).collect();
    transaction.exec_drop(noted, Params::Positional(noting)).await?;
    let with_cases: Vec<&String> = gone.iter().filter(|post| reviewed.posts.contains(*post)).collect();
    if !with_cases.is_empty() {
        let marks = marks(with_cases.len());
        for of_cases in ["review_claims", "review_notes"] {
            let statement = format!(
                "DELETE t FROM review_cases c STRAIGHT_JOIN {of_cases} t ON t.case_id = c.id WHERE c.post IN ({marks})"
            );
            transaction.exec_drop(statement, texts(with_cases.iter().copied())).await?;
        }
        // By endpoint, since so the index begins.
        let deliveries = format!(
            "DELETE d FROM decision_endpoints e STRAIGHT_JOIN decision_deliveries d ON d.endpoint = e.name \
             WHERE d.post IN ({marks})"
        );
        transaction.exec_drop(deliveries, texts(with_cases.iter().copied())).await?;
        for of_posts in ["decision_outbox", "second_opinions", "review_decisions", "review_cases"] {
            let statement = format!("DELETE FROM {of_posts} WHERE post IN ({marks})");
            transaction.exec_drop(statement, texts(with_cases.iter().copied())).await?;
        }
    }
    transaction.exec_drop(format!("DELETE FROM posts WHERE id IN ({})", marks(gone.len())), texts(gone)).await?;
    let counted = "UPDATE prunes SET pruned = pruned + ? WHERE id = ?";
    transaction.exec_drop(counted, (gone.len() as u64, id)).await
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn values<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<Value> {
    texts.into_iter().map(|text| text.as_str().into()).collect()
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Params {
    Params::Positional(values(texts))
}
