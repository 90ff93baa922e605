//! The rules that come with the program.

use super::error::Source;

/// The text of the rules that come with the program, as a rules file.
pub const BUILTIN_RULES: &str = include_str!("../rules/default.toml");

/// The same, as what errors name it.
pub(super) const BUILTIN: Source<'static> = Source { origin: "builtin", text: BUILTIN_RULES };
