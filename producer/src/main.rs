//! `sluice-producer`: wiring only; the rooms are in the library.

use std::process::ExitCode;

use clap::Parser as _;
use common::exit::conclude;
use producer::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return conclude(Err(anyhow::Error::new(error).context("cannot start"))),
    };
    let code = conclude(runtime.block_on(producer::run(cli)));
    // Not dropped: that would wait for a read of stdin that may never return.
    runtime.shutdown_background();
    code
}
