//! `sluice dlq drop`: removes dead letters from RabbitMQ. `sluice dlq restore` undoes it.

use clap::Args;
use sluice_runtime::exit::Exit;

use super::{Action, OperationArgs};

/// Arguments of `sluice dlq drop`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct DropArgs {
    #[command(flatten)]
    operation: OperationArgs,
    /// Destroy the dead letters instead of archiving them; they cannot be restored
    ///
    /// None of their content is kept. The audit log still says who did it, when, to which ids and why.
    #[arg(long)]
    forever: bool,
    /// Reason for the drop, in your own words, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Drops them.
///
/// # Errors
/// As [`super::run`].
pub(in crate::dlq) async fn run(mut args: DropArgs) -> anyhow::Result<Exit> {
    args.operation.reason = args.reason;
    super::run(args.operation, if args.forever { Action::Destroy } else { Action::Drop }).await
}
