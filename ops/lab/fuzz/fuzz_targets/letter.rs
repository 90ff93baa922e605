#![no_main]

#[path = "../../../../common/rabbit/tests/hostile/letter.rs"]
mod letter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| letter::holds(bytes));
