//! An HTTP server without a queue: inserts the post, then answers the client.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::{Json, Router, routing};
use clap::Args;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, Params, Pool, PoolConstraints, PoolOpts};
use serde::Deserialize;
use serde_json::json;
use sluice_core::config::SecretUrl;
use sluice_core::post::{Post, PostId};
use time::OffsetDateTime;

use super::super::floor::database::{statement, values};

/// Connections to the database, as many as the measured clients at most.
const CONNECTIONS: usize = 32;

/// Arguments of the server.
#[derive(Debug, Args)]
pub(super) struct DirectArgs {
    /// Address to listen on
    #[arg(long)]
    listen: String,
    /// Database URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: SecretUrl,
}

pub(super) async fn run(args: DirectArgs) -> anyhow::Result<()> {
    let constraints = PoolConstraints::new(CONNECTIONS, CONNECTIONS).unwrap_or_default();
    // The session's state is the same for all uses, so nothing is reset between two of them: it is the quicker way.
    let pool_opts = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    let opts = mysql_async::OptsBuilder::from_opts(Opts::from_url(args.database.expose())?);
    let pool = Pool::new(opts.prefer_socket(false).pool_opts(pool_opts));
    let routes = Router::new().route("/posts", routing::post(submit)).with_state(pool);
    let listener = tokio::net::TcpListener::bind(&args.listen).await?;
    Ok(axum::serve(listener, routes).await?)
}

#[derive(Deserialize)]
struct Submitted {
    title: String,
    content: String,
    author: Option<String>,
}

async fn submit(State(pool): State<Pool>, Json(submitted): Json<Submitted>) -> Response {
    let Submitted { title, content, author } = submitted;
    let post = Post { id: PostId::default(), title, content, author, submitted_at: OffsetDateTime::now_utc() };
    let inserted = async {
        let mut connection = pool.get_conn().await?;
        connection.exec_drop(statement(1), Params::Positional(values(&post, "direct").to_vec())).await
    };
    match inserted.await {
        Ok(()) => (StatusCode::CREATED, Json(json!({ "id": post.id }))).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
