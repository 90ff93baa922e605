//! The authors of posts: when each was first seen, and what people decided about the last of his posts.

use std::time::Duration;

use mysql_async::Value;
use mysql_async::prelude::Queryable as _;
use sluice_core::failure::Failure;
use sluice_core::name::SenderName;
use sluice_core::post::Post;
use sluice_core::standing::Standing;

use super::Store;

/// How many of an author's held posts are looked at, the last ones: what people decided long ago counts no more.
const LAST: u32 = 100;

/// Who wrote a post: a name, byte for byte, at one sender. What two senders call by the same name are two authors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author {
    sender: String,
    name: String,
}

impl Author {
    /// The author of a post from this sender; none where it has no author.
    #[must_use]
    pub fn of(post: &Post, sender: Option<&SenderName>) -> Option<Self> {
        let name = post.author.clone()?;
        Some(Self { sender: sender.map_or_else(String::new, |sender| sender.as_str().to_owned()), name })
    }
}

impl Store {
    /// Notes that these authors were seen now, those that were seen before excepted.
    ///
    /// # Errors
    /// The server's.
    pub async fn note_authors(&self, authors: &[Author]) -> Result<(), Failure> {
        let Some(last) = authors.last() else { return Ok(()) };
        // Filled up with the last one, so that there are few different statements to keep prepared.
        let rows = authors.len().next_power_of_two();
        let authors = authors.iter().chain(std::iter::repeat_n(last, rows - authors.len()));
        let rows = vec!["(?, ?, NOW(6))"; rows].join(", ");
        let statement = format!("INSERT IGNORE INTO authors (sender, name, first_seen) VALUES {rows}");
        let value = |author: &Author| [Value::from(&author.sender), Value::from(author.name.as_bytes())];
        let values: Vec<Value> = authors.flat_map(value).collect();
        self.bounded("noting authors", async {
            let mut connection = self.connection().await?;
            connection.exec_drop(statement, values).await
        })
        .await
    }

    /// How an author stands: since when he is known, and what people decided about his last posts.
    ///
    /// # Errors
    /// The server's.
    pub async fn standing_of(&self, author: &Author) -> Result<Standing, Failure> {
        // The index on cases ignores case; the second condition compares bytes.
        let statement = format!(
            "SELECT (SELECT TIMESTAMPDIFF(MICROSECOND, a.first_seen, NOW(6)) FROM authors a \
             WHERE a.sender = ? AND a.name = ?), \
             CAST(COALESCE(SUM(d.verdict = 'approved'), 0) AS UNSIGNED), \
             CAST(COALESCE(SUM(d.verdict = 'rejected'), 0) AS UNSIGNED) \
             FROM (SELECT c.post FROM review_cases c JOIN posts p ON p.id = c.post \
             WHERE c.author = ? AND CAST(c.author AS BINARY) = CAST(? AS BINARY) AND c.kind = 'held' \
             AND COALESCE(p.sender, '') = ? ORDER BY c.author DESC, c.opened_at DESC LIMIT {LAST}) AS recent \
             JOIN review_decisions d ON d.post = recent.post \
             AND d.revision = (SELECT MAX(n.revision) FROM review_decisions n WHERE n.post = recent.post)"
        );
        let Author { sender, name } = author;
        let asked = vec![sender.into(), name.as_bytes().into(), name.into(), name.into(), sender.into()];
        let found: Vec<(Option<i64>, u32, u32)> = self.read("the query for an author", statement, asked).await?;
        let (known, approved, rejected) = found.first().copied().unwrap_or_default();
        // If the clock was set back, he was first seen in the future.
        let known_for = known.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
        Ok(Standing { known_for, approved, rejected })
    }
}
