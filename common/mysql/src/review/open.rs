//! Cases are opened for what the table of posts says was held, not for what a review says now: the first row of a post
//! counts, and the rules may have changed since.

use std::collections::HashMap;

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, FromRowError, Params, Row, Transaction, Value};
use serde::Deserialize;
use sluice_core::failure::Failure;
use sluice_core::moderation::{Event, EventType};
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Verdict};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::transaction::{again, begin};
use crate::Store;

/// How many posts one query asks for.
const ASK: usize = 500;
/// The queue of a case whose post was held by no category.
const NO_CATEGORY: &str = "other";
/// The greatest priority.
const MOST: u32 = 999;

/// A held post that is stored, as far as a case needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPost {
    /// Its id.
    pub post: PostId,
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// The category that spoke loudest.
    pub category: String,
    /// Its sum, at most 999: the worst is handed out first.
    pub priority: u16,
}

/// A case to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCase {
    /// The post.
    pub post: PostId,
    /// Its author.
    pub author: Option<String>,
    /// The category that spoke loudest; it is also the queue.
    pub category: String,
    /// The higher, the sooner it is handed out.
    pub priority: u16,
    /// The same for posts whose folded text is the same.
    pub fingerprint: [u8; 16],
}

impl HeldPost {
    /// A post that was just stored with this review, which held it.
    #[must_use]
    pub fn new(post: &Post, review: &Review) -> Self {
        let loudest = review.scores.first().map(|score| (score.category.as_str(), score.sum));
        let (category, priority) = queue(loudest);
        let Post { id, title, content, author, .. } = post.clone();
        Self { post: id, title, content, author, category, priority }
    }

    /// The case to be opened for it; `fingerprint` is the same for posts whose folded text is the same.
    #[must_use]
    pub fn case(&self, fingerprint: [u8; 16]) -> NewCase {
        let (author, category) = (self.author.clone(), self.category.clone());
        NewCase { post: self.post, author, category, priority: self.priority, fingerprint }
    }

    /// The same of a post that is needed no more.
    #[must_use]
    pub fn into_case(self, fingerprint: [u8; 16]) -> NewCase {
        self.case(fingerprint)
    }
}

impl Store {
    /// Those of these posts that are stored as held and have no case yet.
    ///
    /// # Errors
    /// The server's.
    pub async fn held_without_case(&self, posts: &[PostId]) -> Result<Vec<HeldPost>, Failure> {
        let mut found = Vec::new();
        for posts in posts.chunks(ASK) {
            // Ids are repeated up to a power of two, so that few statements are to be kept prepared.
            let places = posts.len().next_power_of_two();
            let statement = format!("{HELD} AND p.id IN ({})", vec!["?"; places].join(", "));
            let asked: Vec<Value> = posts.iter().cycle().take(places).map(|id| id.to_string().into()).collect();
            found.extend(self.read::<HeldPost>("a look for held posts", statement, asked).await?);
        }
        Ok(found)
    }

    /// The next stored posts after this one, in the order of ids: how many of them were looked at, the last one, and
    /// those that are held and have no case.
    ///
    /// # Errors
    /// The server's.
    pub async fn sweep_held(
        &self,
        after: Option<PostId>,
        page: u32,
    ) -> Result<(Option<PostId>, Vec<HeldPost>), Failure> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let statement =
            "SELECT MAX(id) FROM (SELECT id FROM posts WHERE id > ? ORDER BY id LIMIT ?) AS page".to_owned();
        let last: Vec<Option<String>> =
            self.read("a look through the posts", statement, vec![after.as_str().into(), page.into()]).await?;
        let Some(last) = last.into_iter().flatten().next() else { return Ok((None, Vec::new())) };
        let statement = format!("{HELD} AND p.id > ? AND p.id <= ?");
        let held = self.read("a look for held posts", statement, vec![after.into(), last.as_str().into()]).await?;
        Ok((last.parse().ok(), held))
    }

    /// Opens these cases, each with its event `post.held`. A post that has a case keeps it. Gives the number of new ones.
    ///
    /// # Errors
    /// The server's.
    pub async fn open_cases(&self, cases: &[NewCase]) -> Result<u64, Failure> {
        let mut opened = 0;
        for cases in cases.chunks(ASK) {
            let mut tried = 1;
            opened += loop {
                match self.open(cases).await {
                    Err(failure) if again(&failure, tried).await => tried += 1,
                    answer => break answer?,
                }
            };
        }
        Ok(opened)
    }

    async fn open(&self, cases: &[NewCase]) -> Result<u64, Failure> {
        let pool = self.pool();
        self.bounded("opening cases", async {
            let mut connection = pool.get_conn().await?;
            let mut transaction = begin(&mut connection).await?;
            let made: Vec<(Uuid, &NewCase)> = cases.iter().map(|case| (Uuid::now_v7(), case)).collect();
            insert(&mut transaction, &made).await?;
            // Which of them are new, and of when: somebody else may have opened some meanwhile.
            let places = made.len().next_power_of_two();
            let marks = vec!["?"; places].join(", ");
            let statement = format!("SELECT id, opened_at FROM review_cases WHERE id IN ({marks})");
            let asked = made.iter().cycle().take(places).map(|(id, _)| id.to_string().into()).collect();
            let new: Vec<(String, PrimitiveDateTime)> = transaction.exec(statement, Params::Positional(asked)).await?;
            let new: HashMap<String, PrimitiveDateTime> = new.into_iter().collect();
            let new: Vec<Event> = made
                .iter()
                .filter_map(|(id, case)| Some((id, case, new.get(&id.to_string())?)))
                .map(|(id, case, at)| held(*id, case.post, at.assume_utc()))
                .collect();
            super::outbox::add(&mut transaction, &new).await?;
            transaction.commit().await?;
            Ok(new.len() as u64)
        })
        .await
    }
}

async fn insert(transaction: &mut Transaction<'_>, cases: &[(Uuid, &NewCase)]) -> Result<(), mysql_async::Error> {
    let rows = vec!["(?, ?, 'held', '', ?, ?, ?, ?, ?, 'waiting', NOW(6))"; cases.len()].join(", ");
    let statement = format!(
        "INSERT INTO review_cases (id, post, kind, of_decision, queue, category, priority, fingerprint, author, \
         state, opened_at) VALUES {rows} ON DUPLICATE KEY UPDATE post = VALUES(post)"
    );
    let values = cases.iter().flat_map(|(id, case)| values(*id, case)).collect();
    transaction.exec_drop(statement, Params::Positional(values)).await
}

/// Opens a case of nobody's post and takes it back: whether cases can be opened at all.
pub(crate) async fn try_case(connection: &mut Conn) -> Result<(), mysql_async::Error> {
    let case = NewCase {
        post: PostId::new(),
        author: None,
        category: NO_CATEGORY.to_owned(),
        priority: 0,
        fingerprint: [0; 16],
    };
    let (id, now) = (Uuid::now_v7(), OffsetDateTime::now_utc());
    // Left open, by whatever error, it is taken back with its connection.
    let mut transaction = begin(connection).await?;
    let tried = match insert(&mut transaction, &[(id, &case)]).await {
        Ok(()) => super::outbox::add(&mut transaction, &[held(id, case.post, now)]).await,
        refused => refused,
    };
    let taken_back = transaction.rollback().await;
    tried.and(taken_back)
}

/// Held posts without a case; a condition is to follow.
const HELD: &str = "SELECT p.id, p.title, p.content, p.author, p.scores FROM posts p \
                    LEFT JOIN review_cases c ON c.post = p.id AND c.kind = 'held' \
                    WHERE p.verdict = 'held' AND c.id IS NULL";

fn held(id: Uuid, post: PostId, at: OffsetDateTime) -> Event {
    Event {
        kind: EventType::PostHeld,
        id,
        seq: None,
        post,
        revision: 0,
        verdict: Verdict::Held,
        previous: Verdict::Held,
        cause: None,
        policies: Vec::new(),
        message: None,
        appealable_until: None,
        decided_at: at,
        by: "system".to_owned(),
    }
}

fn values(id: Uuid, case: &NewCase) -> [Value; 7] {
    [
        id.to_string().into(),
        case.post.to_string().into(),
        case.category.as_str().into(),
        case.category.as_str().into(),
        case.priority.into(),
        case.fingerprint.to_vec().into(),
        case.author.as_deref().into(),
    ]
}

/// The loudest category of a row's scores, and its sum. The column holds what the review wrote, the strongest first.
fn loudest(scores: Option<&str>) -> (String, u16) {
    #[derive(Deserialize)]
    struct Score {
        category: String,
        sum: u32,
    }
    let scores: Vec<Score> = scores.and_then(|scores| serde_json::from_str(scores).ok()).unwrap_or_default();
    queue(scores.first().map(|Score { category, sum }| (category.as_str(), *sum)))
}

/// The queue and the priority of a case whose post's loudest category has this sum.
fn queue(loudest: Option<(&str, u32)>) -> (String, u16) {
    match loudest {
        // Wider than the column it cannot be: the rules' names are shorter.
        Some((category, sum)) => {
            (category.chars().take(100).collect(), u16::try_from(sum.min(MOST)).unwrap_or_default())
        }
        None => (NO_CATEGORY.to_owned(), 0),
    }
}

impl FromRow for HeldPost {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        type Columns = (String, String, String, Option<String>, Option<String>);
        let (id, title, content, author, scores) = Columns::from_row_opt(row.clone())?;
        let Ok(post) = id.parse() else { return Err(FromRowError(row)) };
        let (category, priority) = loudest(scores.as_deref());
        Ok(Self { post, title, content, author, category, priority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_category_is_the_queue_and_its_sum_the_priority() {
        let scores = r#"[{"category":"threat","sum":2000,"hold":40,"reject":null},{"category":"spam","sum":5}]"#;
        assert_eq!(loudest(Some(scores)), ("threat".to_owned(), 999));
        for none in [None, Some("[]"), Some("null"), Some("{")] {
            assert_eq!(loudest(none), ("other".to_owned(), 0), "{none:?}");
        }
    }
}
