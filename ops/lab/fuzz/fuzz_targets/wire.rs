#![no_main]

#[path = "../../../../common/rabbit/tests/hostile/wire.rs"]
mod wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::holds(bytes));
