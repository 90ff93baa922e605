//! The frame of every page, and the ways to answer.

mod answer;
mod assets;
mod page_frame;
mod refusal;
pub(crate) mod text;

pub(super) use answer::{Answered, Page, part, secured, see_other, whole};
pub(super) use assets::asset;
pub(super) use page_frame::Frame;
pub(super) use refusal::Refusal;
