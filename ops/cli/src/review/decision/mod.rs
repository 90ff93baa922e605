//! What people say of posts: decisions, one or many, and their undo; appeals; posts that are gone.

pub(crate) mod act;
pub(in crate::review) mod appeal;
pub(in crate::review) mod bulk;
pub(in crate::review) mod bulk_undo;
pub(in crate::review) mod decide;
pub(in crate::review) mod forget;
pub(in crate::review) mod reasons;
pub(in crate::review) mod undo;
pub(in crate::review) mod withdraw;
