#![no_main]

#[path = "../../../../producer/tests/hostile/body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::holds(bytes));
