//! What strangers send to the front door: no panic, and one bad line costs no other.
//!
//! Each property is a function of any bytes, in a file of its own. Here they are tried with bytes that come close to
//! real ones; the targets in `ops/lab/fuzz` call the same functions with whatever a fuzzer finds.

mod batch;
mod body;
#[path = "../../../common/rabbit/tests/hostile/spliced.rs"]
mod spliced;

use proptest::prelude::*;
use spliced::spliced;

/// Bodies, with an idempotency key before the first zero byte.
const BODIES: [&str; 4] = [
    "\0{\"title\":\"t\",\"content\":\"c\"}",
    "key-1\0{\"title\":\"t\",\"content\":\"早\\n\",\"author\":\"é\",\"mood\":[1,{\"a\":null}]}",
    "\0{\"id\":\"0193a5b2-7c55-7000-8000-00000000e1b4\",\"title\":\"t\",\"content\":\"c\",\"author\":null}",
    "\0{\"title\":\"a\",\"content\":\"c\",\"title\":\"b\",\"id\":7}",
];
const LINES: [&str; 3] = [
    "{\"title\":\"t\",\"content\":\"c\"}",
    "{\"title\":\"t\",\"content\":\"c\"}\n\n  \r\nnot json\n{}",
    "{\"title\":\"t\",\"content\":\"a line that is much longer than the one before it, which matters where lines are cut\"}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_accepted_survives_the_trip_to_the_worker(bytes in spliced(&BODIES)) {
        body::holds(&bytes);
    }

    #[test]
    fn a_hostile_line_has_its_own_result_and_its_neighbours_theirs(bytes in spliced(&LINES)) {
        batch::holds(&bytes);
    }
}
