//! `sluice dlq drop`: dead letters are taken out of RabbitMQ. Whoever regrets it brings them back with `sluice dlq
//! restore`.

use clap::Args;
use sluice_runtime::exit::Exit;

use super::operation::{self, Action, OperationArgs};

/// Which dead letters, and whether anything is to be left of them.
#[derive(Debug, Args)]
pub(super) struct DropArgs {
    #[command(flatten)]
    operation: OperationArgs,
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
/// As [`operation::run`].
pub(super) async fn run(mut args: DropArgs) -> anyhow::Result<Exit> {
    args.operation.reason = args.reason;
    operation::run(args.operation, if args.forever { Action::Destroy } else { Action::Drop }).await
}
