//! `sluice review bulk --undo`: all decisions of an act are undone, each as a revision of its own.

use anyhow::Context as _;
use sluice_core::config::DatabaseArgs;
use sluice_mysql::review::Decision;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::{failpoint, shutdown};
use uuid::Uuid;

use super::act;
use crate::review::desk::Desk;
use crate::review::desk::confirm;
use crate::review::desk::item::Act;
use crate::review::desk::person::PersonArgs;
use crate::review::desk::refused::Refused;
use crate::times::shown;
use crate::visible::line;

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
    let decisions = desk.ok(act::decisions(&desk.store, undone).await)?;
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
    let mut done = Act::new(act::undoing(undone), asked.json);
    for decision in &decisions {
        if stop.is_cancelled() {
            report!("interrupted; {} of {many} are undone; run the same command again to continue", done.count());
            return Ok(Exit::Interrupted);
        }
        let context = || format!("{many} decisions were to be undone; run the same command again to continue");
        one(&desk, asked, decision, &mut done).await.with_context(context)?;
        failpoint::reach(failpoint::BULK_DECIDED);
    }
    desk.store.close().await;
    let posts = if done.count() == 1 { "1 decision is".to_owned() } else { format!("{} decisions are", done.count()) };
    let text = format!("{posts} undone{}; their cases wait again", done.rest());
    if asked.json {
        report!("{text}")
    } else {
        output::print(|out| writeln!(out, "{text}"))?
    }
    Ok(done.exit())
}

async fn one(desk: &Desk, asked: Asked<'_>, decision: &Decision, done: &mut Act) -> anyhow::Result<()> {
    let person = (asked.person.name.as_str(), asked.person.role());
    match desk.ok(act::undo(&desk.store, asked.act, decision, person, asked.note).await)? {
        Some(Ok(written)) => done.done("undone", &written)?,
        Some(Err(refusal)) => {
            let refused = Refused::new(desk, &refusal, decision.case, decision.post).await?;
            done.not_done("refused", decision.case, Some(decision.post), &refused.detail)?;
        }
        None => done.not_done("gone", decision.case, Some(decision.post), "the case is gone")?,
    }
    Ok(())
}
