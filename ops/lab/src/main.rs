//! `sluice-lab`: wiring only; the modules are in the library.

fn main() -> ! {
    sluice_runtime::exit::run(async { sluice_lab::run(sluice_runtime::command_line::parse()).await })
}
