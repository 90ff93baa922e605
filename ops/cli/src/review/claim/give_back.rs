//! `sluice review release`, `skip` and `escalate`: a case is given back, in three ways.

use clap::Args;
use serde::Serialize;
use sluice_core::config::DatabaseArgs;
use sluice_core::moderation::CaseState;
use sluice_core::post::PostId;
use sluice_mysql::review::Release;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use uuid::Uuid;

use crate::review::desk::Desk;
use crate::review::desk::find;
use crate::review::desk::person::{PersonArgs, words};
use crate::review::desk::refused::Refused;

/// Arguments of `sluice review release` and `skip`.
#[derive(Debug, Args)]
pub(in crate::review) struct GiveBackArgs {
    /// Id of the case, an unambiguous beginning of it of at least 4 characters, or the id of its post
    case: String,
    #[command(flatten)]
    person: PersonArgs,
    /// Token of your claim, as shown by `sluice review next`
    #[arg(long, value_name = "TOKEN")]
    claim: Option<Uuid>,
    /// Print one JSON object: {"case", "post", "state"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Arguments of `sluice review escalate`.
#[derive(Debug, Args)]
pub(in crate::review) struct EscalateArgs {
    #[command(flatten)]
    common: GiveBackArgs,
    /// Why, for the lead, at most 2000 characters; it becomes a note on the case
    #[arg(long, value_name = "TEXT", value_parser = words)]
    note: Option<String>,
}

#[derive(Serialize)]
struct GivenBack {
    case: Uuid,
    post: PostId,
    state: CaseState,
}

/// Leaves a case to a lead.
///
/// # Errors
/// As [`run`].
pub(in crate::review) async fn escalate(args: EscalateArgs) -> anyhow::Result<Exit> {
    run(args.common, Release::Escalated, args.note.as_deref()).await
}

/// Gives it back; the note is written once that is done.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: GiveBackArgs, how: Release, note: Option<&str>) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case(&desk, &args.case).await? else { return Ok(Exit::Partial) };
    let released = desk.store.release(case.case, args.person.actor(args.claim), how).await;
    let exit = match desk.ok(released)? {
        None => {
            report!("case {} is gone; `sluice review list` has those that there are", case.case);
            Exit::Partial
        }
        Some(Err(refusal)) => Refused::new(&desk, &refusal, case.case, case.post).await?.tell(args.json)?,
        Some(Ok(state)) => {
            if let Some(note) = note {
                desk.ok(desk.store.add_note(Uuid::now_v7(), case.case, &args.person.name, note).await)?;
            }
            let given = GivenBack { case: case.case, post: case.post, state };
            output::print(|out| match args.json {
                true => output::json_line(out, &given),
                false if state == CaseState::Escalated => writeln!(out, "case {} waits for a lead", case.case),
                false => writeln!(out, "case {} waits for the next one who asks", case.case),
            })?;
            Exit::Done
        }
    };
    desk.store.close().await;
    Ok(exit)
}
