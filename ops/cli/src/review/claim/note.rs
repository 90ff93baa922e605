//! `sluice review note`: a text of the team on a case.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};

use crate::review::desk::Desk;
use crate::review::desk::find;
use crate::review::desk::person::{OwnId, name, words};

/// Arguments of `sluice review note`.
#[derive(Debug, Args)]
pub(in crate::review) struct NoteArgs {
    /// Id of the case, an unambiguous beginning of it of at least 4 characters, or the id of its post
    case: String,
    /// What the note says, at most 2000 characters
    #[arg(value_name = "TEXT", value_parser = words)]
    text: String,
    /// Your name, 1 to 100 characters
    #[arg(long = "as", value_name = "NAME", value_parser = name)]
    name: String,
    #[command(flatten)]
    id: OwnId,
    /// Print one JSON object: {"note", "case", "post"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Adds it.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: NoteArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case(&desk, &args.case).await? else { return Ok(Exit::Partial) };
    let id = args.id.or_new();
    let added = desk.ok(desk.store.add_note(id, case.case, &args.name, &args.text).await)?;
    desk.store.close().await;
    if !added {
        report!("case {} is gone; `sluice review list` has those that there are", case.case);
        return Ok(Exit::Partial);
    }
    let told = serde_json::json!({ "note": id, "case": case.case, "post": case.post });
    output::print(|out| match args.json {
        true => output::json_line(out, &told),
        false => writeln!(out, "noted on case {}", case.case),
    })?;
    Ok(Exit::Done)
}
