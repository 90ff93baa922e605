//! A mistake that people make, made and mended on purpose, so that a demonstration has real dead letters to show.

use mysql_async::prelude::Queryable;

use super::Store;
use crate::failure::Failure;
use crate::post::TITLE_MAX_CHARS;

impl Store {
    /// Makes the column of titles too narrow, as a hasty change of the schema would.
    ///
    /// # Errors
    /// The server's.
    pub async fn narrow_titles(&self, chars: usize) -> Result<(), Failure> {
        self.resize_titles(chars).await
    }

    /// Gives titles the width they are to have.
    ///
    /// # Errors
    /// The server's.
    pub async fn mend_titles(&self) -> Result<(), Failure> {
        self.resize_titles(TITLE_MAX_CHARS).await
    }

    async fn resize_titles(&self, chars: usize) -> Result<(), Failure> {
        let pool = self.pool();
        self.bounded("changing a column", async {
            let mut connection = pool.get_conn().await?;
            connection.query_drop(format!("ALTER TABLE posts MODIFY title VARCHAR({chars}) NOT NULL")).await
        })
        .await
    }
}
