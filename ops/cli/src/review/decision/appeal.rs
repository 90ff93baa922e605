//! `sluice review appeal`: an author's appeal, as the forum hands it on.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::{Appeal, AppealRefusal};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};

use crate::review::desk::Desk;
use crate::review::desk::find;
use crate::review::desk::person::{OwnId, words};
use crate::times::shown;

/// Arguments of `sluice review appeal`.
#[derive(Debug, Args)]
pub(in crate::review) struct AppealArgs {
    /// Id of the post, of one of its cases, or an unambiguous beginning of it of at least 4 characters
    #[arg(value_name = "POST")]
    post: String,
    /// Why, in the author's words, at most 2000 characters
    #[arg(long, value_name = "TEXT", value_parser = words)]
    reason: String,
    #[command(flatten)]
    id: OwnId,
    /// Print one JSON object: {"appeal", "post"}; the appeal is a case. If it is refused: {"refused", "post", "detail"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Opens it.
///
/// # Errors
/// When the database cannot be used.
pub(in crate::review) async fn run(args: AppealArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let Some(found) = find::case(&desk, &args.post).await? else { return Ok(Exit::Partial) };
    let post = found.post;
    let appeal = Appeal { id: args.id.or_new(), post, reason: &args.reason };
    let answer = desk.ok(desk.store.appeal(&appeal).await)?;
    desk.store.close().await;
    let refusal = match answer {
        None => {
            report!("post {post} has no case");
            return Ok(Exit::Partial);
        }
        Some(Ok(case)) => {
            output::print(|out| match args.json {
                true => output::json_line(out, &serde_json::json!({ "appeal": case, "post": post })),
                false => writeln!(out, "the appeal is case {case}; whoever rejected the post cannot decide it"),
            })?;
            return Ok(Exit::Done);
        }
        Some(Err(refusal)) => refusal,
    };
    let (refused, detail) = told(&refusal);
    report!("post {post}: {detail}");
    if args.json {
        let object = serde_json::json!({ "refused": refused, "post": post, "detail": detail });
        output::print(|out| output::json_line(out, &object))?;
    }
    Ok(Exit::Partial)
}

fn told(refusal: &AppealRefusal) -> (&'static str, String) {
    match refusal {
        AppealRefusal::NotRejected => {
            ("not_rejected", "no person has rejected it, so there is nothing to appeal against".to_owned())
        }
        AppealRefusal::AlreadyAppealed { case } => {
            ("already_appealed", format!("there was an appeal against this decision: case {case}"))
        }
        AppealRefusal::TooLate { since } => {
            ("too_late", format!("an appeal was possible until {}", shown(Some(*since))))
        }
        AppealRefusal::Final => ("final", "the rejection is final: no appeal is possible".to_owned()),
        AppealRefusal::Withdrawn => ("withdrawn", "it is gone at the forum, and its cases are ended".to_owned()),
    }
}
