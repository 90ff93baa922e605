//! What the law requires to be erased: a post's texts and its author's name. That there was a post, and what was
//! decided, stays.

use mysql_async::prelude::Queryable as _;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;

use super::transaction::begin;
use crate::Store;

impl Store {
    /// Empties a stored post's title, text and author, and what its cases say of them. `false`: it is not stored.
    ///
    /// # Errors
    /// The server's.
    pub async fn forget(&self, post: PostId, actor: &str, reason: Option<&str>) -> Result<bool, Failure> {
        let pool = self.pool();
        self.bounded("forgetting a post", async {
            let mut connection = pool.get_conn().await?;
            let mut transaction = begin(&mut connection).await?;
            let post = post.to_string();
            let there: Option<u8> =
                transaction.exec_first("SELECT 1 FROM posts WHERE id = ? FOR UPDATE", (&post,)).await?;
            if there.is_none() {
                return Ok(false);
            }
            // What the rules found is cut out of the text.
            let texts = "UPDATE posts SET title = '', content = '', author = NULL, reasons = '[]' WHERE id = ?";
            transaction.exec_drop(texts, (&post,)).await?;
            // Not MD5: MySQL 9.7 has no such function.
            let cases = "UPDATE review_cases SET author = NULL, reason = NULL, \
                         fingerprint = UNHEX(LEFT(SHA2(id, 256), 32)) WHERE post = ?";
            transaction.exec_drop(cases, (&post,)).await?;
            let note = "INSERT INTO forgotten_posts (post, actor, reason, at) VALUES (?, ?, ?, NOW(6)) \
                        ON DUPLICATE KEY UPDATE post = VALUES(post)";
            transaction.exec_drop(note, (&post, actor, reason)).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}
