#![no_main]

#[path = "../../../../common/rabbit/tests/hostile/message.rs"]
mod message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| message::holds(bytes));
