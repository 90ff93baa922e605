#![no_main]

#[path = "../../tests/hostile/message.rs"]
mod message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| message::holds(bytes));
