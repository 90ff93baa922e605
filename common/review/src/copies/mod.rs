//! Near copies: the same or nearly the same text from many authors, or many times. Pure; the time is an argument.
//!
//! ```text
//!  content ─► Sketch ─► Window: how many others say nearly the same? ─► Near ─► held from a number on
//!                          ▲
//!  sketches of other processes, as bytes
//! ```
//!
//! Whoever floods a forum writes one text many times, with other numbers and names in it; hardly anybody else does. It
//! says nothing about what the text is: it may be a chain letter, a form that a forum asks to be filled in, or a joke.
//! So it holds a post for a person and never rejects one. Titles do not count: all replies to a post have the same.

mod hash;
mod hold;
mod ring;
mod said;
mod sketch;
mod unquoted;
mod window;

pub use self::hold::{NEAR_COPIES, held};
pub use self::said::{BATCH_MAX, Said, decoded, encoded};
pub use self::sketch::Sketch;
pub use self::window::{ENOUGH, Near, Window};
