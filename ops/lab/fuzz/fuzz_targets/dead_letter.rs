#![no_main]

#[path = "../../../../common/rabbit/tests/hostile/dead_letter.rs"]
mod dead_letter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dead_letter::holds(bytes));
