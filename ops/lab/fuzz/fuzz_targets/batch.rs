#![no_main]

#[path = "../../../../producer/tests/hostile/batch.rs"]
mod batch;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| batch::holds(bytes));
