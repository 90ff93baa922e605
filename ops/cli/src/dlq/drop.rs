//! `sluice dlq drop`: letters are taken out of RabbitMQ. Whoever regrets it brings them back with `sluice dlq restore`.

use clap::Args;
use sluice_runtime::exit::Exit;

use super::act::{self, ActArgs, Deed};

/// Which letters, and whether anything is to be left of them.
#[derive(Debug, Args)]
pub(super) struct DropArgs {
    #[command(flatten)]
    act: ActArgs,
    /// Destroy them: nothing of their content is kept, so nothing brings them back. The record still says who did it,
    /// when, to which ids and why
    #[arg(long)]
    forever: bool,
    /// Why, in your own words, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Drops them.
///
/// # Errors
/// As [`act::run`].
pub(super) async fn run(mut args: DropArgs) -> anyhow::Result<Exit> {
    args.act.reason = args.reason;
    act::run(args.act, if args.forever { Deed::Destroy } else { Deed::Drop }).await
}
