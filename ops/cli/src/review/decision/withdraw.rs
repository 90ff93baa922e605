//! `sluice review withdraw`: the post is gone at the forum.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};

use crate::review::desk::Desk;
use crate::review::desk::find;

/// Arguments of `sluice review withdraw`.
#[derive(Debug, Args)]
pub(in crate::review) struct WithdrawArgs {
    /// Id of the post, of one of its cases, or an unambiguous beginning of it of at least 4 characters
    #[arg(value_name = "POST")]
    post: String,
    /// Print one JSON object: {"post", "withdrawn"}, the number of cases that this ended
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Ends its cases.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: WithdrawArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case(&desk, &args.post).await? else { return Ok(Exit::Partial) };
    let post = case.post;
    let Some(ended) = desk.ok(desk.store.withdraw(post).await)? else {
        report!("post {post} has no case");
        return Ok(Exit::Partial);
    };
    desk.store.close().await;
    output::print(|out| match (args.json, ended) {
        (true, _) => output::json_line(out, &serde_json::json!({ "post": post, "withdrawn": ended })),
        (false, 0) => writeln!(out, "post {post} was withdrawn before"),
        (false, 1) => writeln!(out, "post {post} is withdrawn: its case is ended"),
        (false, many) => writeln!(out, "post {post} is withdrawn: its {many} cases are ended"),
    })?;
    Ok(Exit::Done)
}
