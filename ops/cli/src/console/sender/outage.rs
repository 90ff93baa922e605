//! Something that lasts is said when it begins and when it is over, and not each time that it shows.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether it lasts.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicBool);

impl Outage {
    /// It showed; whether that is new.
    pub(super) fn has_begun(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// It did not show; whether that is new.
    pub(super) fn is_over(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Whether it lasts.
    pub(super) fn lasts(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
