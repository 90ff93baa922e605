//! What strangers send to the queue, as far as this package reads it: no panic, and an answer that can be relied on.
//!
//! Each property is a function of any bytes, in a file of its own. Here they are tried with bytes that come close to
//! real ones; the targets in `ops/lab/fuzz` call the same functions with whatever a fuzzer finds.

mod dead_letter;
mod message;
mod properties;
mod review;
mod shapes;
mod spliced;
mod wire;

use proptest::prelude::*;
use spliced::{spliced, texts};

/// Bodies of messages, with the message id before the first zero byte.
const MESSAGES: [&str; 5] = [
    "\0{\"title\":\"t\",\"content\":\"c\"}",
    "0193a5b2-7c55-7000-8000-00000000e1b4\0{\"title\":\"t\",\"content\":\"c\",\"author\":null}",
    "\0{\"id\":\"0193a5b2-7c55-7000-8000-00000000e1b4\",\"title\":\"早\",\"content\":\"早\\u0000\",\
     \"submitted_at\":\"2026-11-20T10:00:00.123456Z\"}",
    "\0{\"id\":\"0193a5b2-7c55-7000-8000-00000000e1b4\",\"title\":\"t\",\"content\":\"c\",\
     \"submitted_at\":\"0000-01-01T00:00:00+23:59\"}",
    "\0\"a text that is no object\"",
];

/// A record as a worker writes it, and what looks like one.
const BATCH: [&str; 3] = [
    "\x01{\"schema\":1,\"class\":\"permanent\",\"code\":\"malformed\",\"message\":\"m\",\"fingerprint\":\"0123456789ab\",\
     \"attempts\":1,\"first_failed_at\":\"2026-11-20T10:00:00Z\",\"last_failed_at\":\"2026-11-20T10:00:00Z\",\
     \"worker\":\"w\",\"version\":\"0\",\"origin\":{\"exchange\":\"e\",\"routing_key\":\"post\",\"queue\":\"q\"},\"replays\":0}",
    "\x00\x05titleS\0\0\0\x01t\x01at\x01\x01bT\0\0\0\0\0\0\0\x07\x01cA\0\0\0\x02Vt",
    "\x02\x06reasonS\0\0\0\x08rejected\x05countl\0\0\0\0\0\0\0\x02\x05queueS\0\0\0\x01q\x04timeT\0\0\0\0\0\0\0\x07",
];

/// A message on its way from the broker: delivered, with a header and a type, a body, and the beginning of a heartbeat.
const WIRES: [&str; 2] = [
    "\x07\x01\0\x01\0\0\0\x16\0\x3c\0\x3c\x01c\0\0\0\0\0\0\0\x01\0\x01e\x04postN\
     \x02\0\x01\0\0\0\x1c\0\x3c\0\0\0\0\0\0\0\0\0\x02\x20\x20\0\0\0\x07\x01nF\0\0\0\0\x02idN\
     \x03\0\x01\0\0\0\x02{}N\x08\0\0\0\0\0\0",
    "\0\x03\0\x01\0\0\0\x02{}N\x01\0\x01\0\0\0\x0d\0\x14\0\x28\x01\x40\x02no\0\0\0\0N",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_in_the_queue_is_a_post_or_malformed(bytes in spliced(&MESSAGES)) {
        message::holds(&bytes);
    }

    #[test]
    fn whatever_is_among_the_dead_letters_can_be_looked_at(bytes in spliced(&BATCH)) {
        dead_letter::holds(&bytes);
    }

    #[test]
    fn whatever_comes_from_the_broker_arrives_whole_and_harmless(bytes in spliced(&WIRES)) {
        wire::holds(&bytes);
    }

    #[test]
    fn whatever_properties_say_the_library_reads_them_and_what_it_could_read_stays(message in properties::properties()) {
        properties::readable(&message);
    }
}

proptest! {
    // Long texts are slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_record_fits_its_header_whatever_the_failure_says(text in texts()) {
        dead_letter::record_fits(text.as_bytes());
    }

    #[test]
    fn a_review_never_panics_and_points_at_whole_characters(text in texts()) {
        review::holds(text.as_bytes());
    }
}

/// One that took the square of its length would take minutes here, and be ended as a test that hangs: masked words did,
/// when each looked through all dead letters before it.
#[test]
fn no_shape_of_text_costs_the_review_more_than_its_length() {
    for (name, unit) in shapes::SHAPES {
        println!("{name}");
        review::holds(shapes::shaped(unit, 256 << 10).as_bytes());
    }
}
