//! Held posts, as the table of posts has them: what a case is opened for. The first row of a post counts, and not what
//! a review says now: the rules may have changed since.

use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Row, Value};
use sluice_core::failure::Failure;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::Score;

use super::open::{NO_CATEGORY, NewCase};
use crate::Store;

/// How many posts one query asks for.
const ASK: usize = 500;
/// The priority of posts whose writer may need help.
const URGENT: u32 = 999;
/// The greatest priority of all others.
const MOST: u32 = URGENT - 1;

/// Held posts without a case; a condition is to follow.
const HELD: &str = "SELECT p.id, p.title, p.content, p.author, p.scores FROM posts p \
                    LEFT JOIN review_cases c ON c.post = p.id AND c.kind = 'held' \
                    WHERE p.verdict = 'held' AND c.id IS NULL";

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
    /// Its sum, at most 998; 999 where the writer may need help: the worst is handed out first.
    pub priority: u16,
}

impl From<crate::Row> for HeldPost {
    /// A row that was just stored, whose review held it.
    fn from(row: crate::Row) -> Self {
        let (category, priority) = queue(row.review.scores.first());
        let Post { id, title, content, author, .. } = row.post;
        Self { post: id, title, content, author, category, priority }
    }
}

impl HeldPost {
    /// The case to be opened for it; `fingerprint` is the same for posts whose folded text is the same.
    #[must_use]
    pub fn case(&self, fingerprint: [u8; 16]) -> NewCase {
        let (author, category) = (self.author.clone(), self.category.clone());
        NewCase { post: self.post, author, category, priority: self.priority, fingerprint }
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
            found.extend(self.read::<HeldPost>("the query for held posts", statement, asked).await?);
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
            self.read("a pass over the posts", statement, vec![after.as_str().into(), page.into()]).await?;
        let Some(last) = last.into_iter().flatten().next() else { return Ok((None, Vec::new())) };
        let statement = format!("{HELD} AND p.id > ? AND p.id <= ?");
        let held = self.read("the query for held posts", statement, vec![after.into(), last.as_str().into()]).await?;
        Ok((last.parse().ok(), held))
    }
}

/// The loudest category of a row's scores, and its sum. The column holds what the review wrote, the strongest first.
fn loudest(scores: Option<&str>) -> (String, u16) {
    let scores: Vec<Score> = scores.and_then(|scores| serde_json::from_str(scores).ok()).unwrap_or_default();
    queue(scores.first())
}

/// The queue and the priority of a case whose post's loudest category is this one. Where somebody may need help, no
/// other case comes first.
fn queue(loudest: Option<&Score>) -> (String, u16) {
    match loudest {
        Some(loudest) => {
            let priority = if loudest.holds_urgently() { URGENT } else { loudest.sum.min(MOST) };
            // Wider than the column it cannot be: the rules' names are shorter.
            (loudest.category.chars().take(100).collect(), u16::try_from(priority).unwrap_or_default())
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
        let scores = r#"[{"category":"threat","sum":2000,"hold":40,"reject":null},
                         {"category":"spam","sum":5,"hold":50,"reject":null}]"#;
        assert_eq!(loudest(Some(scores)), ("threat".to_owned(), 998));
        let urgent = r#"[{"category":"help","sum":50,"hold":50,"reject":null,"urgent":true}]"#;
        assert_eq!(loudest(Some(urgent)), ("help".to_owned(), 999));
        for none in [None, Some("[]"), Some("null"), Some("{")] {
            assert_eq!(loudest(none), ("other".to_owned(), 0), "{none:?}");
        }
    }
}
