//! MySQL alone: rows of posts, one or fifty a statement, over so many connections.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, Params, Pool, Value};
use sluice_core::post::Post;
use time::{OffsetDateTime, PrimitiveDateTime};
use tokio::task::JoinSet;

/// The statement of a peer or a floor, for so many rows.
pub(in super::super) fn statement(rows: usize) -> String {
    format!(
        "INSERT INTO posts (id, title, content, author, verdict, reasons, ruleset, submitted_at, reviewed_at, \
         recorded_at, worker, attempts, scores) VALUES {} ON DUPLICATE KEY UPDATE id = id",
        vec!["(?, ?, ?, ?, 'approved', '[]', 'none', ?, ?, ?, ?, 1, '[]')"; rows].join(", ")
    )
}

/// The values of one row.
pub(in super::super) fn values(post: &Post, worker: &str) -> [Value; 8] {
    let at = |at: OffsetDateTime| Value::from(PrimitiveDateTime::new(at.date(), at.time()));
    let now = OffsetDateTime::now_utc();
    [
        post.id.to_string().into(),
        post.title.as_str().into(),
        post.content.as_str().into(),
        post.author.as_deref().into(),
        at(post.submitted_at),
        at(now),
        at(now),
        worker.into(),
    ]
}

/// Stores all posts; how many in a second.
pub(in super::super) async fn store(
    database_url: &str,
    connections: usize,
    rows: usize,
    posts: Vec<Post>,
) -> anyhow::Result<f64> {
    let opts = Opts::from_url(database_url).context("the address of the database")?;
    let opts = mysql_async::OptsBuilder::from_opts(opts).prefer_socket(false);
    let pool = Pool::new(opts);
    let mut ready = Vec::new();
    for _ in 0..connections {
        let mut connection = pool.get_conn().await?;
        // Prepared once: the measurement is of statements, not of their preparation.
        connection.prep(statement(rows)).await?;
        ready.push(connection);
    }
    let (posts, begun, mut tasks) = (Arc::new(posts), Instant::now(), JoinSet::new());
    for (number, mut connection) in ready.into_iter().enumerate() {
        let posts = Arc::clone(&posts);
        tasks.spawn(async move {
            for group in posts.chunks_exact(rows).skip(number).step_by(connections) {
                let values = group.iter().flat_map(|post| values(post, "floor")).collect();
                connection.exec_drop(statement(rows), Params::Positional(values)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let took = begun.elapsed();
    pool.disconnect().await?;
    Ok((posts.len() / rows * rows) as f64 / took.as_secs_f64())
}
