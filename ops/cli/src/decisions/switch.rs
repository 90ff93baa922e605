//! `sluice decisions pause` and `resume`.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_runtime::exit::Exit;
use sluice_runtime::output;

use super::endpoint::{is_known, ok, open};
use crate::actor::actor;

/// Arguments of `sluice decisions pause` and `resume`.
#[derive(Debug, Args)]
pub(super) struct SwitchArgs {
    /// Name of the endpoint, as listed by `sluice decisions endpoints`
    endpoint: String,
    /// Print one JSON object: {"endpoint", "paused"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Pauses it, or goes on.
///
/// # Errors
/// When the database cannot be used.
pub(super) async fn run(args: SwitchArgs, pause: bool) -> anyhow::Result<Exit> {
    let store = open(&args.database).await?;
    if !is_known(&store, &args.endpoint).await? {
        return Ok(Exit::Partial);
    }
    let by = if pause { Some(actor().await) } else { None };
    ok(&store, store.pause_endpoint(&args.endpoint, by.as_deref()).await)?;
    store.close().await;
    let endpoint = args.endpoint;
    output::print(|out| match (args.json, pause) {
        (true, _) => output::json_line(out, &serde_json::json!({ "endpoint": endpoint, "paused": pause })),
        (false, true) => writeln!(out, "nothing is sent to {endpoint} until `sluice decisions resume` says so"),
        (false, false) => writeln!(out, "{endpoint} is sent to again"),
    })?;
    Ok(Exit::Done)
}
