//! `sluice review bulk --undo`: all decisions of an act are undone, each as a revision of its own.

use anyhow::Context as _;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::{Decision, Release, UndoRequest};
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::{failpoint, shutdown};
use uuid::Uuid;

use crate::review::desk::Desk;
use crate::review::desk::confirm;
use crate::review::desk::item::Act;
use crate::review::desk::person::PersonArgs;
use crate::review::desk::refused::Refused;
use crate::times::shown;
use crate::visible::line;

/// How many decisions are read at once.
const PAGE: u32 = 500;
/// What the id of the act that undoes an act is made of, beside that act's.
const UNDO: &[u8] = b"undo";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::review) struct Asked<'a> {
    /// The act that is to be undone.
    pub(in crate::review) act: Uuid,
    /// Who undoes it.
    pub(in crate::review) person: &'a PersonArgs,
    /// A text for the team.
    pub(in crate::review) note: Option<&'a str>,
    /// Whether not to ask.
    pub(in crate::review) yes: bool,
    /// Whether a program reads the outcomes.
    pub(in crate::review) json: bool,
    /// Whether nothing is to be done.
    pub(in crate::review) dry_run: bool,
}

/// Undoes it. Like the act itself, it can be run again if it was killed.
///
/// # Errors
/// When the database cannot be used. What was undone until then stays so.
pub(in crate::review) async fn run(asked: Asked<'_>, database: &DatabaseArgs) -> anyhow::Result<Exit> {
    let undone = asked.act;
    let stop = shutdown::on_interrupt()?;
    let desk = Desk::open(database).await?;
    let decisions = decisions(&desk, undone).await?;
    let Some(first) = decisions.first() else {
        report!("there is no act {undone}; `sluice review show CASE --json` names the act of a decision");
        return Ok(Exit::Partial);
    };
    let (many, by, at) = (decisions.len(), line(&first.decided_by), shown(Some(first.decided_at)));
    let verdict = first.verdict;
    let of = if many == 1 { "1 decision".to_owned() } else { format!("{many} decisions") };
    let told = format!("act {undone}: {of} by {by}, begun at {at}: {verdict}\n");
    if asked.dry_run {
        report!("{told}nothing was done");
        return Ok(Exit::Done);
    }
    let these = if many == 1 { "this decision" } else { "these decisions" };
    if let Some(exit) = confirm::ask(asked.yes, &format!("{told}Undo {these} ({many})?"), &stop).await? {
        return Ok(exit);
    }
    let mut act = Act::new(Uuid::new_v5(&undone, UNDO), asked.json);
    for decision in &decisions {
        if stop.is_cancelled() {
            report!("interrupted; {} of {many} are undone; run the same command again to continue", act.count());
            return Ok(Exit::Interrupted);
        }
        let context = || format!("{many} decisions were to be undone; run the same command again to continue");
        one(&desk, asked, decision, &mut act).await.with_context(context)?;
        failpoint::reach(failpoint::BULK_DECIDED);
    }
    desk.store.close().await;
    let posts = if act.count() == 1 { "1 decision is".to_owned() } else { format!("{} decisions are", act.count()) };
    let text = format!("{posts} undone{}; their cases wait again", act.rest());
    if asked.json {
        report!("{text}")
    } else {
        output::print(|out| writeln!(out, "{text}"))?
    }
    Ok(act.exit())
}

async fn one(desk: &Desk, asked: Asked<'_>, decision: &Decision, act: &mut Act) -> anyhow::Result<()> {
    let id = Uuid::new_v5(&decision.decision, UNDO);
    let request = UndoRequest {
        id,
        decision: decision.decision,
        actor: asked.person.actor(Some(id)),
        note: asked.note,
        act: Some(Uuid::new_v5(&asked.act, UNDO)),
    };
    match desk.ok(desk.store.undo(&request).await)? {
        Some(Ok(written)) => {
            // Nobody can work on hundreds of cases at once, so none is kept. Refused: it is not this claim's any more.
            let _ = desk.ok(desk.store.release(decision.case, request.actor, Release::Released).await)?;
            act.done("undone", &written)?;
        }
        Some(Err(refusal)) => {
            let refused = Refused::new(desk, &refusal, decision.case, decision.post).await?;
            act.not_done("refused", decision.case, Some(decision.post), &refused.detail)?;
        }
        None => act.not_done("gone", decision.case, Some(decision.post), "the case is gone")?,
    }
    Ok(())
}

async fn decisions(desk: &Desk, act: Uuid) -> anyhow::Result<Vec<Decision>> {
    let mut all: Vec<Decision> = Vec::new();
    loop {
        let after = all.last().map(|decision| decision.decision);
        let page = desk.ok(desk.store.decisions_of_act(act, after, PAGE).await)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
