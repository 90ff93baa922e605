//! `sluice review undo`: what stood before a decision stands again.

use clap::Args;
use serde::Serialize;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::UndoRequest;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use uuid::Uuid;

use crate::review::decision::decide::Decided;
use crate::review::desk::Desk;
use crate::review::desk::person::{OwnId, PersonArgs, words};
use crate::review::desk::refused::Refused;

/// Arguments of `sluice review undo`.
#[derive(Debug, Args)]
pub(in crate::review) struct UndoArgs {
    /// Id of the decision, as printed by `sluice review decide` and `sluice review show`
    decision: Uuid,
    #[command(flatten)]
    person: PersonArgs,
    /// Text for the team, at most 2000 characters
    #[arg(long, value_name = "TEXT", value_parser = words)]
    note: Option<String>,
    #[command(flatten)]
    id: OwnId,
    /// Print one JSON object: {"decision", "post", "revision", "verdict", "undoes", "case", "claim"}
    ///
    /// `claim` is the token of the claim that you now hold on the case.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Serialize)]
struct Undone {
    #[serde(flatten)]
    decided: Decided,
    undoes: Uuid,
    case: Uuid,
    claim: Uuid,
}

/// Undoes it.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: UndoArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(before) = desk.ok(desk.store.decision(args.decision).await)? else {
        report!("there is no decision {}; `sluice review show CASE` lists those of a case", args.decision);
        return Ok(Exit::Partial);
    };
    let id = args.id.or_new();
    // The id of the undo is also its claim's token, so that a repetition prints the same one.
    let actor = args.person.actor(Some(id));
    let request = UndoRequest { id, decision: args.decision, actor, note: args.note.as_deref(), act: None };
    let exit = match desk.ok(desk.store.undo(&request).await)? {
        None => {
            report!("the case of decision {} is gone", args.decision);
            Exit::Partial
        }
        Some(Err(refusal)) => Refused::new(&desk, &refusal, before.case, before.post).await?.tell(args.json)?,
        Some(Ok(decision)) => {
            let undone =
                Undone { decided: Decided::from(&decision), undoes: args.decision, case: decision.case, claim: id };
            output::print(|out| match args.json {
                true => output::json_line(out, &undone),
                false => writeln!(
                    out,
                    "post {} is {} again (decision {}, revision {}); case {} is yours, with the claim {id}",
                    decision.post, decision.verdict, decision.decision, decision.revision, decision.case
                ),
            })?;
            Exit::Done
        }
    };
    desk.store.close().await;
    Ok(exit)
}
