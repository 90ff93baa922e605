//! `sluice-worker`: wiring only.

use common::exit::Exit;
use workers::cli::{Cli, Command};

fn main() -> ! {
    common::exit::run(start())
}

async fn start() -> anyhow::Result<Exit> {
    let cli: Cli = common::command_line::parse();
    common::telemetry::init(cli.log.log_format)?;
    match cli.command {
        Command::Run(args) => workers::run::run(*args).await,
        Command::Reference(reference) => reference.run::<Cli>(),
    }
}
