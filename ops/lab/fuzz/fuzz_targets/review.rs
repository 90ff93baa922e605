#![no_main]

#[path = "../../../../common/rabbit/tests/hostile/review.rs"]
mod review;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| review::holds(bytes));
