//! `sluice-producer`: wiring only; the rooms are in the library.

fn main() -> ! {
    common::exit::run(async { producer::run(common::command_line::parse()).await })
}
