//! Past replays, the newest first.

use clap::Args;
use serde_json::{Value, json};
use sluice_core::config::ServerArgs;
use sluice_mysql::{PastReplay, Store};
use sluice_runtime::exit::Exit;

use super::fate::{Counts, DiedAgain};
use crate::browse::DeadLetters;
use crate::numbers::count;
use crate::times::shown;
use crate::visible::{cut, line};
use sluice_runtime::output::{self, report};
use sluice_runtime::table::{lines, right, table};

/// Arguments of `sluice replays`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Show at most N replays, newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = count)]
    limit: u32,
    /// Print one JSON object per line: {"id", "begun_at", "actor", "selection", "dead_letters", "outcomes"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Lists them.
///
/// # Errors
/// When the audit log or the dead letters cannot be looked at.
pub(super) async fn run(args: ListArgs) -> anyhow::Result<Exit> {
    let ServerArgs { broker, database } = &args.servers;
    let dead = DeadLetters::new(broker, "replays")?;
    let store = Store::new(database)?;
    store.check_schema().await?;
    let replays =
        store.replays(broker.prefix.as_str(), "", args.limit).await.map_err(|failure| store.with_context(failure))?;
    if replays.is_empty() {
        report!("no replays are recorded for the prefix `{}`", broker.prefix.as_str());
        return Ok(Exit::Done);
    }
    let died = DiedAgain::look(&dead, None).await?;
    let mut counted = Vec::with_capacity(replays.len());
    for replay in replays {
        let mut counts = Counts::default();
        super::each(&store, &replay.id, &died, |_, fate| counts.add(&fate)).await?;
        counted.push((replay, counts));
    }
    store.close().await;
    output::print(|out| {
        if args.json {
            return counted.iter().try_for_each(|(replay, counts)| output::json_line(out, &object(replay, counts)));
        }
        write!(out, "{}", in_columns(&counted))
    })?;
    Ok(Exit::Done)
}

fn object(replay: &PastReplay, counts: &Counts) -> Value {
    let mut object = json!(replay);
    object["dead_letters"] = counts.total().into();
    object["outcomes"] = counts.json();
    object
}

fn in_columns(counted: &[(PastReplay, Counts)]) -> String {
    let mut table = table(&["REPLAY", "BEGUN", "BY", "DEAD LETTERS", "OUTCOMES", "SELECTION"]);
    right(&mut table, &[3]);
    for (replay, counts) in counted {
        table.add_row([
            replay.id.clone(),
            shown(Some(replay.begun_at)),
            line(&replay.actor).to_string(),
            counts.total().to_string(),
            counts.to_string(),
            cut(&in_words(&replay.selection), 80),
        ]);
    }
    lines(table)
}

/// The selection, for people.
pub(crate) fn in_words(selection: &Value) -> String {
    let mut words = Vec::new();
    if selection["all"] == true {
        words.push("all".to_owned());
    }
    for (name, value) in selection["filters"].as_object().into_iter().flatten() {
        words.push(match value.as_array().map(Vec::as_slice) {
            Some(ids) if name == "ids" && ids.len() > 2 => format!("{} ids", ids.len()),
            Some(values) => {
                let name = if name == "ids" { "id" } else { name };
                format!("{name} {}", values.iter().map(plain).collect::<Vec<_>>().join(" or "))
            }
            None => format!("{name} {}", plain(value)),
        });
    }
    if let Some(rate) = selection["rate"].as_u64() {
        words.push(format!("at {rate} a second"));
    }
    if let Some(canary) = selection["canary"]["dead_letters"].as_u64() {
        words.push(format!("a canary of {canary}"));
    }
    if words.is_empty() { "unknown".to_owned() } else { words.join(", ") }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_told_in_words() {
        for (selection, words) in [
            (json!({ "all": true, "filters": {}, "rate": null }), "all"),
            (json!({ "all": true, "filters": { "limit": 5 }, "rate": 20 }), "all, limit 5, at 20 a second"),
            (json!({ "all": false, "filters": { "code": ["a", "b"], "since": "2026" } }), "code a or b, since 2026"),
            (json!({ "all": false, "filters": { "ids": ["a", "b", "c"] } }), "3 ids"),
            (json!({ "all": false, "filters": { "ids": ["a"] } }), "id a"),
            (json!(null), "unknown"),
        ] {
            assert_eq!(in_words(&selection), words);
        }
    }
}
