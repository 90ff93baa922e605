//! `sluice-worker`: wiring only.

use sluice_runtime::exit::{self, Exit, Threads};
use sluice_worker::cli::{Cli, Command};

fn main() -> ! {
    exit::run(Threads::One, start())
}

async fn start() -> anyhow::Result<Exit> {
    let cli: Cli = sluice_runtime::command_line::parse();
    sluice_runtime::telemetry::init(cli.log.log_format)?;
    match cli.command {
        Command::Run(args) => sluice_worker::run::run(*args).await,
        Command::Reference(reference) => reference.run::<Cli>(),
    }
}
