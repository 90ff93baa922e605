//! `sluice`, the operator's tool: wiring only; the rooms are in the library.

use clap::Parser as _;

fn main() -> ! {
    let cli = ops::cli::Cli::try_parse().unwrap_or_else(|error| std::process::exit(ops::output::usage(&error)));
    common::exit::run(ops::run(cli))
}
