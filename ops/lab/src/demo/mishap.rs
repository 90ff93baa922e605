//! A mistake that people make, made and fixed on purpose, so that there are real dead letters to show.

use anyhow::Context as _;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use sluice_core::config::SecretUrl;
use sluice_core::post::TITLE_MAX_CHARS;

/// Makes the column of titles as wide as that, as a hasty change of the schema would.
///
/// # Errors
/// The server's.
pub(super) async fn resize_titles(database: &SecretUrl, chars: usize) -> anyhow::Result<()> {
    let mut connection = Conn::from_url(database.expose()).await.context("cannot reach MySQL")?;
    connection.query_drop(format!("ALTER TABLE posts MODIFY title VARCHAR({chars}) NOT NULL")).await?;
    connection.disconnect().await.context("cannot leave MySQL")
}

/// Gives titles the width that they are to have.
///
/// # Errors
/// The server's.
pub(super) async fn widen_titles(database: &SecretUrl) -> anyhow::Result<()> {
    resize_titles(database, TITLE_MAX_CHARS).await
}
