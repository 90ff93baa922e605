//! `sluice`, the operator's tool: wiring only; the rooms are in the library.

use clap::Parser as _;

fn main() -> ! {
    common::exit::run(async { ops::run(ops::cli::Cli::parse()).await })
}
