//! `sluice-producer`: wiring only; the modules are in the library.

use sluice_runtime::exit::{self, Threads};

fn main() -> ! {
    exit::run(Threads::HalfTheProcessors, async { sluice_producer::run(sluice_runtime::command_line::parse()).await })
}
