//! What the law requires to be erased: a post's texts and its author's name. That there was a post, and what was
//! decided, stays.

use mysql_async::prelude::Queryable as _;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;

use super::transaction::begin;
use crate::Store;

/// What of a post was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whether it was stored: its title, text and author are empty now.
    pub row: bool,
    /// How many archived dead letters of it were deleted. They cannot be restored any more.
    pub archived: u64,
}

impl Erased {
    /// Whether there was nothing to erase.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        !self.row && self.archived == 0
    }
}

impl Store {
    /// Empties a stored post's title, text and author, and what its cases say of them, and deletes its dropped dead
    /// letters from the archive.
    ///
    /// # Errors
    /// The server's.
    pub async fn forget(&self, post: PostId, actor: &str, reason: Option<&str>) -> Result<Erased, Failure> {
        self.bounded("forgetting a post", async {
            let mut connection = self.connection().await?;
            let mut transaction = begin(&mut connection).await?;
            let post = post.to_string();
            let there: Option<u8> =
                transaction.exec_first("SELECT 1 FROM posts WHERE id = ? FOR UPDATE", (&post,)).await?;
            // He is a stranger again, if he writes once more.
            let author = "DELETE a FROM authors a JOIN posts p ON a.sender = COALESCE(p.sender, '') \
                          AND a.name = CAST(p.author AS BINARY) WHERE p.id = ?";
            transaction.exec_drop(author, (&post,)).await?;
            // What the rules found is cut out of the text.
            let texts = "UPDATE posts SET title = '', content = '', author = NULL, reasons = '[]' WHERE id = ?";
            transaction.exec_drop(texts, (&post,)).await?;
            // Not MD5: MySQL 9.7 has no such function.
            let cases = "UPDATE review_cases SET author = NULL, reason = NULL, \
                         fingerprint = UNHEX(LEFT(SHA2(id, 256), 32)) WHERE post = ?";
            transaction.exec_drop(cases, (&post,)).await?;
            let archived = "DELETE k FROM archived_dead_letters k JOIN operation_items l \
                            ON l.operation = k.operation AND l.number = k.number WHERE l.post = ?";
            transaction.exec_drop(archived, (&post,)).await?;
            let erased = Erased { row: there.is_some(), archived: transaction.affected_rows() };
            if erased.is_nothing() {
                return Ok(erased);
            }
            let note = "INSERT INTO forgotten_posts (post, actor, reason, at) VALUES (?, ?, ?, NOW(6)) \
                        ON DUPLICATE KEY UPDATE post = VALUES(post)";
            transaction.exec_drop(note, (&post, actor, reason)).await?;
            transaction.commit().await?;
            Ok(erased)
        })
        .await
    }

    /// How many dead letters of this post are in the archive.
    ///
    /// # Errors
    /// The server's.
    pub async fn archived_of(&self, post: PostId) -> Result<u64, Failure> {
        let statement = "SELECT COUNT(*) FROM archived_dead_letters k JOIN operation_items l \
                         ON l.operation = k.operation AND l.number = k.number WHERE l.post = ?";
        let counted: Vec<u64> = self
            .read("the query for archived dead letters", statement.to_owned(), vec![post.to_string().into()])
            .await?;
        Ok(counted.first().copied().unwrap_or_default())
    }
}
