//! What the servers can do by themselves, with nothing of ours in between: no faster can it be.

pub(super) mod broker;
pub(super) mod database;
