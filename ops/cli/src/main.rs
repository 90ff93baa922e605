//! `sluice`, the operator's tool: wiring only; the modules are in the library.

use sluice_runtime::exit::{self, Threads};

fn main() -> ! {
    exit::run(Threads::AllProcessors, async { sluice::run(sluice_runtime::command_line::parse()).await })
}
