//! `sluice review bulk`: one decision for each of the waiting posts with the same text.
//!
//! ```text
//!  a case ──► the ids of those that wait now ──► counts and three samples ──► question ──► a decision each
//! ```
//!
//! The ids are chosen once: what comes afterwards was not shown, and is not decided.

use anyhow::Context as _;
use clap::Args;
use sluice_core::config::{ConfigError, DatabaseArgs};
use sluice_core::moderation::CaseKind;
use sluice_mysql::review::Ruling;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::{failpoint, shutdown};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{act, bulk_undo};
use crate::review::decision::act::ActRequest;
use crate::review::decision::reasons::{ReasonArgs, Reasons, Word};
use crate::review::desk::Desk;
use crate::review::desk::item::Act;
use crate::review::desk::person::PersonArgs;
use crate::review::desk::refused::Refused;
use crate::review::desk::{confirm, find};
use crate::times::span;
use crate::visible::cut;

/// The name of the command, in errors.
const COMMAND: &str = "review bulk";
/// How many of them the question shows.
const SAMPLES: usize = 3;

/// Arguments of `sluice review bulk`.
#[derive(Debug, Args)]
pub(in crate::review) struct BulkArgs {
    /// One of the cases: its id, an unambiguous beginning of it of at least 4 characters, or the id of its post
    #[arg(required_unless_present = "undo")]
    case: Option<String>,
    /// What to do with the posts
    #[arg(value_name = "RULING", required_unless_present = "undo")]
    word: Option<Word>,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    reasons: ReasonArgs,
    /// Undo all decisions of an act in bulk, instead of deciding; their cases wait for anybody then
    #[arg(long, value_name = "ACT", conflicts_with_all = ["case", "word", "act"])]
    undo: Option<Uuid>,
    /// Id for the act, a UUID of your own; with the id of an act that was interrupted, the cases that still wait are
    /// added to it
    #[arg(long, value_name = "ACT")]
    act: Option<Uuid>,
    /// Show what would be decided without deciding it
    #[arg(long)]
    dry_run: bool,
    /// Skip the confirmation prompt; required if there is no terminal
    #[arg(long, short = 'y')]
    yes: bool,
    /// Print one JSON object per post: {"post", "case", "outcome", "decision", "revision", "verdict", "act", "detail"}
    ///
    /// Objects are printed one per line, each when its outcome is known: decided (undone with --undo), refused or gone.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Decides them, or undoes an act.
///
/// # Errors
/// When it was asked wrongly, or the database cannot be used. What was decided until then stays.
pub(in crate::review) async fn run(args: BulkArgs) -> anyhow::Result<Exit> {
    if !args.dry_run {
        confirm::can(args.yes, COMMAND)?;
    }
    if let Some(act) = args.undo {
        let BulkArgs { person, yes, json, dry_run, database, .. } = &args;
        let (note, yes, json, dry_run) = (args.reasons.note.as_deref(), *yes, *json, *dry_run);
        return bulk_undo::run(bulk_undo::Asked { act, person, note, yes, json, dry_run }, database).await;
    }
    // clap has made sure of both.
    let (Some(named), Some(word)) = (&args.case, args.word) else { return Ok(Exit::Usage) };
    let reasons = args.reasons.check(word.ruling())?;
    let stop = shutdown::on_interrupt()?;
    let desk = Desk::open(&args.database).await?;
    let Some(case) = find::case(&desk, named).await? else { return Ok(Exit::Partial) };
    if case.kind != CaseKind::Held {
        let problem = "it is an appeal or a second review, and each of those is decided by itself";
        return Err(ConfigError::new("CASE", problem).into());
    }
    let chosen = desk.ok(act::choose(&desk.store, &case, &args.person.name).await)?;
    if chosen.is_empty() {
        if let Some(act) = args.act
            && !desk.ok(desk.store.decisions_of_act(act, None, 1).await)?.is_empty()
        {
            report!("act {act} is complete: no case with this text waits any more");
            return Ok(Exit::Done);
        }
        report!("no case with the text of case {} waits for anybody ({} is {})", case.case, case.case, case.state);
        return Ok(Exit::Partial);
    }
    let shown = preview(&desk, &chosen, word.ruling()).await?;
    if args.dry_run {
        report!("{shown}nothing was done");
        return Ok(Exit::Done);
    }
    let what = if word == Word::Approve { "Approve" } else { "Reject" };
    let these = if chosen.len() == 1 { "this post" } else { "these posts" };
    let question = format!("{shown}{what} {these} ({})?", chosen.len());
    if let Some(exit) = confirm::ask(args.yes, &question, &stop).await? {
        return Ok(exit);
    }
    let act = args.act.unwrap_or_else(Uuid::now_v7);
    let exit = decide(&desk, &args, word.ruling(), &reasons, (act, &chosen), &stop).await?;
    desk.store.close().await;
    Ok(exit)
}

/// How many there are, and the first of them.
async fn preview(desk: &Desk, chosen: &[Uuid], ruling: Ruling) -> anyhow::Result<String> {
    let (now, many) = (OffsetDateTime::now_utc(), chosen.len());
    let posts =
        if many == 1 { "1 post with this text waits".to_owned() } else { format!("{many} posts with this text wait") };
    let mut text = format!("{posts}, to be {}\n", ruling.verdict());
    for id in chosen.iter().take(SAMPLES) {
        let Some(case) = desk.ok(desk.store.case(*id).await)? else { continue };
        let title = case.title.as_deref().map_or_else(|| "-".to_owned(), |title| cut(title, 80));
        let author = case.author.as_deref().map(|author| format!(" by {}", cut(author, 60))).unwrap_or_default();
        text.push_str(&format!("  \"{title}\"{author}, opened {} ago, case {id}\n", span(now - case.opened_at)));
    }
    if many > SAMPLES {
        text.push_str(&format!("  … and {} more\n", many - SAMPLES));
    }
    if u32::try_from(many).is_ok_and(|many| many >= act::MOST) {
        text.push_str(&format!("  only {} at once; there may be more: run the command again for those\n", act::MOST));
    }
    Ok(text)
}

async fn decide(
    desk: &Desk,
    args: &BulkArgs,
    ruling: Ruling,
    reasons: &Reasons,
    (id, chosen): (Uuid, &[Uuid]),
    stop: &CancellationToken,
) -> anyhow::Result<Exit> {
    let mut act = Act::new(id, args.json);
    let request = ActRequest {
        act: id,
        ruling,
        actor: args.person.actor(None),
        policies: &reasons.named,
        policyset: reasons.set.as_deref(),
        message: reasons.message.as_deref(),
        note: args.reasons.note.as_deref(),
        recheck: reasons.recheck,
    };
    report!("act {id}");
    for case in chosen {
        if stop.is_cancelled() {
            report!("interrupted; {} of {} are decided; --act {id} goes on", act.count(), chosen.len());
            return Ok(Exit::Interrupted);
        }
        let context = || format!("{} of {} are decided; --act {id} goes on", act.count(), chosen.len());
        let answer = desk.ok(request.decide(&desk.store, *case).await).with_context(context)?;
        match answer {
            Some(Ok(decision)) => act.done("decided", &decision)?,
            Some(Err(refusal)) => match desk.ok(desk.store.case(*case).await)? {
                Some(stored) => {
                    let refused = Refused::new(desk, &refusal, *case, stored.post).await?;
                    act.not_done("refused", *case, Some(stored.post), &refused.detail)?;
                }
                None => act.not_done("gone", *case, None, "the case is gone")?,
            },
            None => act.not_done("gone", *case, None, "the case is gone")?,
        }
        failpoint::reach(failpoint::BULK_DECIDED);
    }
    let verdict = ruling.verdict();
    let (count, rest) = (act.count(), act.rest());
    let posts = if count == 1 { "1 post is".to_owned() } else { format!("{count} posts are") };
    let text = format!("{posts} {verdict}{rest}; `sluice review bulk --undo {id} --as NAME` undoes it");
    if args.json {
        report!("{text}")
    } else {
        output::print(|out| writeln!(out, "{text}"))?
    }
    Ok(act.exit())
}
