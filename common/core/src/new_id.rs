//! New ids. Apart from the post itself, because they need a clock and chance, and the post is pure.

use uuid::Uuid;

use crate::post::PostId;

impl PostId {
    /// A new id. Version 7, so that rows arrive in the order of their key and the primary index grows at its end.
    #[must_use]
    pub fn new() -> Self {
        Uuid::now_v7().into()
    }
}

impl Default for PostId {
    fn default() -> Self {
        Self::new()
    }
}
