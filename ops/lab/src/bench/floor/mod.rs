//! What the servers can do by themselves, with nothing of ours in between: the upper limit.

pub(super) mod broker;
pub(super) mod database;
