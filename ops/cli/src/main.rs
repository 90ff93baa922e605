//! `sluice`, the operator's tool: wiring only; the rooms are in the library.

fn main() -> ! {
    sluice_runtime::exit::run(async { sluice::run(sluice_runtime::command_line::parse()).await })
}
