//! `sluice-producer`: wiring only; the rooms are in the library.

use clap::Parser as _;

fn main() -> ! {
    common::exit::run(async { producer::run(producer::cli::Cli::parse()).await })
}
