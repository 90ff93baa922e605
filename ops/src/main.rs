//! `sluice`: the operator's tool. Reads the command line, runs one command, ends with its exit code.

use std::process::ExitCode;

use clap::Parser as _;
use ops::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return common::exit::conclude(Err(error.into())),
    };
    let result = runtime.block_on(ops::run(cli));
    // A question that nobody answered keeps a thread reading from the terminal: it is not waited for.
    runtime.shutdown_background();
    match result {
        // Whoever read our output has seen enough: `sluice dlq list | head`.
        Err(error) if ops::output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        result => common::exit::conclude(result),
    }
}
