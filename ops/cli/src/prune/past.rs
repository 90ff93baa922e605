//! Earlier prunes, the latest first.

use sluice_core::config::DatabaseArgs;
use sluice_mysql::Store;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use sluice_runtime::table::{lines, right, table};

use crate::times::shown;
use crate::visible::line;

/// How many are listed.
const LIMIT: u32 = 100;

/// Lists them.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn run(database: &DatabaseArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::new(database)?;
    store.check_schema().await?;
    let past = store.prunes(LIMIT).await.map_err(|failure| store.with_context(failure));
    store.close().await;
    let past = past?;
    if past.is_empty() {
        report!("no post was pruned in `{}`", store.database());
        return Ok(Exit::Done);
    }
    output::print(|out| {
        if json {
            return past.iter().try_for_each(|prune| output::json_line(out, prune));
        }
        let mut table = table(&["PRUNE", "BEGUN", "BY", "STORED BEFORE", "VERDICTS", "PRUNED"]);
        right(&mut table, &[5]);
        for prune in &past {
            let verdicts = if prune.verdicts.is_empty() { "any" } else { &prune.verdicts };
            table.add_row([
                prune.prune.clone(),
                shown(Some(prune.begun_at)),
                line(&prune.actor).to_string(),
                shown(Some(prune.stored_before)),
                verdicts.to_owned(),
                prune.pruned.to_string(),
            ]);
        }
        write!(out, "{}", lines(table))
    })?;
    Ok(Exit::Done)
}
