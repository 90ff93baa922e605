//! `sluice`, the operator's tool: wiring only; the modules are in the library.

fn main() -> ! {
    sluice_runtime::exit::run(async { sluice::run(sluice_runtime::command_line::parse()).await })
}
