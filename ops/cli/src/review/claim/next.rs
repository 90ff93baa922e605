//! `sluice review next`: the next case, claimed and shown.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::{Ask, Claimed, Nothing};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::review::case::about::About;
use crate::review::case::page::page;
use crate::review::desk::Desk;
use crate::review::desk::person::PersonArgs;
use crate::times::shown;
use crate::visible::{cut, shell_word};

/// Arguments of `sluice review next`.
#[derive(Debug, Args)]
pub(in crate::review) struct NextArgs {
    #[command(flatten)]
    person: PersonArgs,
    /// Only cases of this queue
    #[arg(long, value_name = "QUEUE")]
    queue: Option<String>,
    /// Token for the claim, a UUID of your own; repeated with it, the command shows the same case
    #[arg(long, value_name = "TOKEN")]
    claim: Option<Uuid>,
    /// Print one JSON object
    ///
    /// Keys: those of `sluice review list --json`, then claim (the token to decide with), content, verdict and ruleset
    /// (of the review), submitted_at, recorded_at, reasons [{rule, category, field, span, text, matched, steps}], scores
    /// [{category, sum, hold, reject}], decisions, notes [{by, at, text}], earlier (cases of the author's other posts:
    /// {case, post, kind, state, opened_at, title, standing}), same_text (how many other open cases have the same text),
    /// deliveries, forgotten. If no case is free: {"waiting", "claimed", "escalated", "next_free_at"}.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Claims one and shows it.
///
/// # Errors
/// When the database cannot be used, or stdout not be written.
pub(in crate::review) async fn run(args: NextArgs) -> anyhow::Result<Exit> {
    let desk = Desk::open(&args.database).await?;
    let token = args.claim.unwrap_or_else(Uuid::now_v7);
    let ask = Ask { by: &args.person.name, role: args.person.role(), token, queue: args.queue.as_deref() };
    let case = match desk.ok(desk.store.claim_next(ask).await)? {
        Claimed::Case(case) => case,
        Claimed::Nothing(nothing) => {
            if args.json {
                output::print(|out| output::json_line(out, &nothing))?;
            }
            report!("{}", why_none(&nothing, args.queue.as_deref()));
            return Ok(Exit::Partial);
        }
    };
    let about = desk.ok(About::ask(&desk.store, *case, Some(token), Some(&args.person.name)).await)?;
    desk.store.close().await;
    output::print(|out| match args.json {
        true => output::json_line(out, &about),
        false => {
            write!(out, "{}", page(&about, OffsetDateTime::now_utc()))?;
            let (case, name) = (about.case.case, shell_word(&args.person.name));
            let lead = if args.person.lead { " --lead" } else { "" };
            writeln!(
                out,
                "\nto decide it, approve or reject; to give it back\n  sluice review decide {case} approve --as={name}{lead} --claim={token}"
            )?;
            writeln!(out, "  sluice review release {case} --as={name}{lead} --claim={token}")
        }
    })?;
    Ok(Exit::Done)
}

fn why_none(nothing: &Nothing, queue: Option<&str>) -> String {
    let Nothing { waiting, claimed, escalated, next_free_at } = nothing;
    let of = queue.map(|queue| format!(" in the queue {}", cut(queue, 100))).unwrap_or_default();
    let mut text =
        format!("no case is free{of}: {waiting} waiting, {claimed} claimed by others, {escalated} escalated");
    if let Some(at) = next_free_at {
        text.push_str(&format!("; the first claim ends at {}", shown(Some(*at))));
    }
    if *waiting > 0 {
        text.push_str("; those that wait are appeals against your own decisions or second reviews of them, were skipped by you within a day, or claimed just now");
    }
    if *escalated > 0 {
        text.push_str("; a lead may have those that are escalated (--lead)");
    }
    text
}
