//! Points at which a test may end or upset the program: between two steps that no signal from outside can hit.
//!
//! Only a program built with the feature `failpoints` has them, and none that is shipped is: without it
//! [`reach`] is nothing. With it, the variable `FAILPOINTS` says what happens where, in the words of the `fail` crate:
//! `committed=return` ends the process with SIGKILL the first time it gets there, `committed=10%return` one time in
//! ten, `review=3*off->panic` lets three through and then panics. Three points also work on one post alone, named by its
//! title: `review.poison=return` ends every process that reviews the post titled `poison`, and no other.

/// A post was stored, and the broker has not been told.
pub const COMMITTED: &str = "committed";
/// A held post was stored, and its case is not open yet.
pub const CASE: &str = "case";
/// A dead letter's copy is confirmed, and its original is still unacknowledged.
pub const DEAD_LETTER_CONFIRMED: &str = "dead_letter_confirmed";
/// A replayed post's copy is confirmed, and its dead letter is still unacknowledged.
pub const REPLAY_CONFIRMED: &str = "replay_confirmed";
/// A dropped dead letter is in the record, and still unacknowledged.
pub const DROP_RECORDED: &str = "drop_recorded";
/// A dropped dead letter is back among the dead ones, and the record does not say so yet.
pub const RESTORE_CONFIRMED: &str = "restore_confirmed";
/// An edited dead letter's copy is confirmed, and its original is still unacknowledged.
pub const EDIT_CONFIRMED: &str = "edit_confirmed";
/// A post of an act in bulk is decided, and the next one is not yet.
pub const BULK_DECIDED: &str = "bulk_decided";
/// A post was just delivered.
pub const DELIVERED: &str = "delivered";
/// A page of `sluice status --watch` was drawn.
pub const STATUS_DRAWN: &str = "status_drawn";
/// Inside the review of a post.
pub const REVIEW: &str = "review";
/// Inside the insert of a group.
pub const STORE: &str = "store";

/// Reads `FAILPOINTS`.
#[cfg(feature = "failpoints")]
pub fn arm() {
    // Dropped, it would disarm them again.
    std::mem::forget(fail::FailScenario::setup());
}

/// There are none to arm.
#[cfg(not(feature = "failpoints"))]
pub fn arm() {}

/// Does what a test has asked for at this point; usually nothing.
#[cfg(feature = "failpoints")]
pub fn reach(point: &str) {
    // `return` is the one action of the crate that is ours to fill.
    let _ = fail::eval(point, |_| {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    });
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach(_point: &str) {}

/// Does what a test has asked for at this point for the post of this title: `review.poison=panic`.
#[cfg(feature = "failpoints")]
pub fn reach_with(point: &str, title: &str) {
    reach(&format!("{point}.{title}"));
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reach_with(_point: &str, _title: &str) {}
