//! `sluice review sweep`: the cases that held posts lack. `sluice migrate` does it, too.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_mysql::Store;
use sluice_mysql::review::{HeldPost, NewCase};
use sluice_runtime::exit::Exit;
use sluice_runtime::{output, shutdown};
use tokio_util::sync::CancellationToken;

use crate::review::desk::Desk;

/// How many posts are looked through at once. All of them may be held, and each as long as a post may be.
const PAGE: u32 = 500;

/// Arguments of `sluice review sweep`.
#[derive(Debug, Args)]
pub(in crate::review) struct SweepArgs {
    /// Print one JSON object: {"opened"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Opens them.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: SweepArgs) -> anyhow::Result<Exit> {
    let stop = shutdown::on_interrupt()?;
    let desk = Desk::open(&args.database).await?;
    let opened = desk.ok(open_missing(&desk.store, &stop).await)?;
    desk.store.close().await;
    output::print(|out| match args.json {
        true => output::json_line(out, &serde_json::json!({ "opened": opened })),
        false => writeln!(out, "{}", told(opened)),
    })?;
    Ok(if stop.is_cancelled() { Exit::Interrupted } else { Exit::Done })
}

/// What was done, in words.
pub(crate) fn told(opened: u64) -> String {
    match opened {
        0 => "every held post has its case".to_owned(),
        1 => "opened 1 case for a held post that had none".to_owned(),
        many => format!("opened {many} cases for held posts that had none"),
    }
}

/// Looks through all posts, page by page, and opens the cases that are missing, until the stop. Gives how many.
///
/// # Errors
/// The server's. What was opened until then stays.
pub(crate) async fn open_missing(store: &Store, stop: &CancellationToken) -> Result<u64, Failure> {
    let (mut opened, mut after): (u64, Option<PostId>) = (0, None);
    while !stop.is_cancelled() {
        let (last, held) = store.sweep_held(after, PAGE).await?;
        let cases: Vec<NewCase> = held.iter().map(case).collect();
        if !cases.is_empty() {
            opened += store.open_cases(&cases).await?;
        }
        if last.is_none() {
            break;
        }
        after = last;
    }
    Ok(opened)
}

/// The case of a held post that has none.
pub(crate) fn case(post: &HeldPost) -> NewCase {
    post.case(sluice_review::fingerprint(&post.title, &post.content))
}
