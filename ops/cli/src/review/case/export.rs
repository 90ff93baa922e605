//! `sluice review export`: decided posts as texts for `sluice rules eval`.

use clap::Args;
use serde_json::json;
use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::DecidedPost;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::shutdown;
use time::OffsetDateTime;

use crate::review::desk::Desk;
use crate::times::{past_moment, shown};

/// How many posts are read at once: each may be as long as a post can be.
const PAGE: u32 = 500;

/// Arguments of `sluice review export`.
#[derive(Debug, Args)]
pub(in crate::review) struct ExportArgs {
    /// Export posts that were last decided about since this time: RFC 3339, or how long ago, like 12h or 7d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = past_moment)]
    since: OffsetDateTime,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Prints them.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(in crate::review) async fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    let stop = shutdown::on_interrupt()?;
    let desk = Desk::open(&args.database).await?;
    let (mut count, mut after): (usize, Option<PostId>) = (0, None);
    while !stop.is_cancelled() {
        let posts = desk.ok(desk.store.decided_posts(args.since, after, PAGE).await)?;
        let Some(last) = posts.last() else { break };
        after = Some(last.post);
        count += posts.len();
        output::print(|out| posts.iter().try_for_each(|post| output::json_line(out, &row(post))))?;
    }
    desk.store.close().await;
    if count == 0 {
        report!("nothing was decided since {}", shown(Some(args.since)));
    }
    Ok(if stop.is_cancelled() { Exit::Interrupted } else { Exit::Done })
}

/// A row of `sluice rules eval`.
fn row(DecidedPost { post, title, content, category, verdict }: &DecidedPost) -> serde_json::Value {
    let expect = if *verdict == Verdict::Approved { "clean" } else { "flag" };
    json!({ "post": post, "title": title, "text": content, "expect": expect, "kind": category })
}
