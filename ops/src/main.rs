//! `sluice`, the operator's tool: wiring only; the rooms are in the library.

fn main() -> ! {
    common::exit::run(async { ops::run(common::command_line::parse()).await })
}
