//! What the protocol does not promise. A run that the check found; docs/decisions/delivery-limits.md says why
//! it is put up with.

use crate::check::{holds, refuted};
use crate::property::NOT_BLAMED;
use crate::rules::{Nature, Protocol};

/// A process dies with all it has in flight, and the broker counts that for each of them.
#[test]
fn a_deadly_post_can_take_along_what_the_same_process_has_in_flight() {
    let protocol =
        Protocol { workers: 1, consumers: 2, max_deliveries: 2, ..Protocol::new(&[Nature::Deadly, Nature::Sound]) };
    refuted("a neighbour in the same process", &protocol, NOT_BLAMED);
    holds("a neighbour in another process", Protocol { workers: 2, consumers: 1, ..protocol });
}
