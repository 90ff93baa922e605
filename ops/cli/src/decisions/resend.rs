//! `sluice decisions resend`: an endpoint gets everything after a place of the feed once more.

use clap::Args;
use sluice_core::config::DatabaseArgs;
use sluice_runtime::exit::Exit;
use sluice_runtime::output;

use super::endpoint::{is_known, ok, open};

/// Arguments of `sluice decisions resend`.
#[derive(Debug, Args)]
pub(super) struct ResendArgs {
    /// Name of the endpoint, as listed by `sluice decisions endpoints`
    endpoint: String,
    /// Place of the feed after which all is sent again; 0: all of it
    #[arg(long, value_name = "SEQ")]
    after: u64,
    /// Print one JSON object: {"endpoint", "after", "events"}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Has it sent.
///
/// # Errors
/// When the database cannot be used.
pub(super) async fn run(args: ResendArgs) -> anyhow::Result<Exit> {
    let store = open(&args.database).await?;
    if !is_known(&store, &args.endpoint).await? {
        return Ok(Exit::Partial);
    }
    let events = ok(&store, store.resend(&args.endpoint, args.after).await)?;
    store.close().await;
    let ResendArgs { endpoint, after, json, .. } = args;
    output::print(|out| match (json, events) {
        (true, _) => {
            output::json_line(out, &serde_json::json!({ "endpoint": endpoint, "after": after, "events": events }))
        }
        (false, 1) => writeln!(out, "1 event will be sent to {endpoint} again"),
        (false, many) => writeln!(out, "{many} events will be sent to {endpoint} again"),
    })?;
    Ok(Exit::Done)
}
