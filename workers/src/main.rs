//! `sluice-worker`: wiring only.

use std::process::ExitCode;

use clap::Parser as _;
use common::exit::{Exit, conclude};
use workers::cli::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    conclude(start().await)
}

async fn start() -> anyhow::Result<Exit> {
    let cli = Cli::parse();
    common::telemetry::init(cli.log.log_format)?;
    match cli.command {
        Command::Run(args) => workers::run::run(*args).await,
    }
}
