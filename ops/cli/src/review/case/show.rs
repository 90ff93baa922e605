//! `sluice review show`: one case, without claiming it.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_runtime::exit::Exit;
use sluice_runtime::output;
use time::OffsetDateTime;

use crate::review::case::about::About;
use crate::review::case::page::page;
use crate::review::desk::Desk;
use crate::review::desk::find;

/// Arguments of `sluice review show`.
#[derive(Debug, Args)]
pub(in crate::review) struct ShowArgs {
    /// Id of the case, an unambiguous beginning of it of at least 4 characters, or the id of its post
    ///
    /// `latest` selects the case of a held post that was opened last. Of several cases of a post, the open one is shown.
    case: String,
    /// Print one JSON object, with the keys of `sluice review next --json` without the claim's token
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows it.
///
/// # Errors
/// When the database cannot be asked, or stdout not be written.
pub(in crate::review) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case_or_latest(&desk, &args.case).await? else { return Ok(Exit::Partial) };
    let about = desk.ok(About::ask(&desk.store, case, None, None).await)?;
    desk.store.close().await;
    output::print(|out| match args.json {
        true => output::json_line(out, &about),
        false => write!(out, "{}", page(&about, OffsetDateTime::now_utc())),
    })?;
    Ok(Exit::Done)
}
