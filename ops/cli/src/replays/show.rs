//! The outcome of each dead letter of one replay.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use sluice_core::config::ServerArgs;
use sluice_core::named::Named;
use sluice_mysql::{PastReplay, Store};
use sluice_runtime::exit::Exit;

use super::fate::{Counts, DiedAgain, Fate};
use super::list::in_words;
use crate::beginning::{ENOUGH, ambiguous};
use crate::browse::DeadLetters;
use crate::times::shown;
use crate::visible::{cut, line};
use sluice_runtime::output::{self, report};

/// Arguments of `sluice replays show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Id of the replay, or enough of its beginning to be unique
    #[arg(value_name = "OP")]
    id: String,
    /// Print one JSON object per dead letter to stdout: {"id", "outcome", …}
    ///
    /// Objects are printed one per line. The counts go to stderr.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// One dead letter.
#[derive(Debug, Serialize)]
struct FateLine<'a> {
    id: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// The later operation that took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// Shows it.
///
/// # Errors
/// When the audit log or the dead letters cannot be looked at, or several replays begin like this.
pub(super) async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let ServerArgs { broker, database } = &args.servers;
    let dead = DeadLetters::new(broker, "replays show")?;
    let store = Store::new(database)?;
    store.check_schema().await?;
    let id = Named::new(&args.id).post().map_or_else(|| args.id.clone(), |id| id.to_string());
    let found =
        store.replays(broker.prefix.as_str(), &id, ENOUGH).await.map_err(|failure| store.with_context(failure))?;
    let replay = match found.as_slice() {
        [] => {
            report!("{}: no replay of the prefix `{}` has this id", line(&args.id), broker.prefix.as_str());
            return Ok(Exit::Partial);
        }
        [one] => one,
        several => match several.iter().find(|replay| replay.id == id) {
            Some(exact) => exact,
            None => {
                let ids: Vec<String> = several.iter().map(|replay| replay.id.clone()).collect();
                return Err(ambiguous("OP", "replays", &args.id, &ids).into());
            }
        },
    };
    let died = DiedAgain::look(&dead, Some(&replay.id)).await?;
    let mut counts = Counts::default();
    let mut dead_letters = Vec::new();
    super::each(&store, &replay.id, &died, |dead_letter, fate| {
        counts.add(&fate);
        dead_letters.push((dead_letter.dead_letter.into_boxed_str(), fate));
    })
    .await?;
    store.close().await;
    if args.json {
        report!("{}: {counts}", replay.id);
        output::print(|out| dead_letters.iter().try_for_each(|(id, fate)| output::json_line(out, &told(id, fate))))?;
    } else {
        output::print(|out| print(out, replay, &counts, &dead_letters))?;
    }
    Ok(Exit::Done)
}

fn print(
    out: &mut dyn Write,
    replay: &PastReplay,
    counts: &Counts,
    dead_letters: &[(Box<str>, Fate)],
) -> io::Result<()> {
    writeln!(out, "replay        {}", replay.id)?;
    writeln!(out, "started       {} by {}", shown(Some(replay.begun_at)), line(&replay.actor))?;
    writeln!(out, "selection     {}", line(&in_words(&replay.selection)))?;
    writeln!(out, "dead letters  {}: {counts}\n", counts.total())?;
    for (id, fate) in dead_letters {
        let name = fate.name().replace('_', " ");
        let text = format!("{name:<16}  {:<36}  {}", line(id).to_string(), detail(&told(id, fate)));
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

fn told<'a>(id: &'a str, fate: &'a Fate) -> FateLine<'a> {
    let told = FateLine { id, outcome: fate.name(), class: None, code: None, message: None, by: None, detail: None };
    match fate {
        Fate::FailedAgain(reason) => FateLine {
            class: Some(reason.class.as_str()),
            code: Some(&reason.code),
            message: Some(&reason.message),
            ..told
        },
        Fate::ReplayedAgain(operation) | Fate::Dropped(operation) => FateLine { by: Some(operation), ..told },
        Fate::Left(detail) | Fate::NotReplayed(detail) => FateLine { detail: Some(detail), ..told },
        Fate::Recorded | Fate::AlreadyRecorded | Fate::Waiting => told,
    }
}

fn detail(told: &FateLine<'_>) -> String {
    match told {
        FateLine { class: Some(class), code: Some(code), message: Some(message), .. } => {
            cut(&format!("{class} {code}: {message}"), 160)
        }
        FateLine { by: Some(operation), .. } => format!("by operation {operation}"),
        FateLine { detail: Some(detail), .. } => cut(detail, 160),
        _ => String::new(),
    }
}
