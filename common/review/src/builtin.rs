//! The rules that come with the program: one file for each kind of harm, read as if they were one.

use super::error::Source;

/// The files, in the order in which they are read.
macro_rules! files {
    ($($name:literal)*) => {
        concat!($(include_str!(concat!("../rules/builtin/", $name, ".toml")), "\n"),*)
    };
}

/// The text of the rules that come with the program, as one rules file.
pub const BUILTIN_RULES: &str = files!(
    "categories" "contact" "promotion" "services" "prizes" "money" "notices" "coins" "gambling" "adult" "drugs"
    "abuse-en" "abuse-zh" "urging" "threat" "hate" "privacy" "self-harm" "allowed" "tests"
);

/// The same, as what errors name it.
pub(super) const BUILTIN: Source<'static> = Source { origin: "builtin", text: BUILTIN_RULES };
