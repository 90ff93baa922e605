//! Who acts, and the texts that they write.

use clap::Args;
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use uuid::Uuid;

use crate::policies::MESSAGE_MAX_CHARS;

/// The longest name, in characters: the width of the columns.
const NAME_MAX_CHARS: usize = 100;

/// Who acts.
#[derive(Debug, Clone, Args)]
pub(in crate::review) struct PersonArgs {
    /// Your name, 1 to 100 characters; it is recorded with what you do
    #[arg(long = "as", value_name = "NAME", value_parser = name)]
    pub(in crate::review) name: String,
    /// Act as a lead: also for escalated cases and for decisions of others
    #[arg(long)]
    pub(in crate::review) lead: bool,
}

impl PersonArgs {
    /// As what they act.
    pub(in crate::review) fn role(&self) -> Role {
        if self.lead { Role::Lead } else { Role::Moderator }
    }

    /// Who acts, for the guards, with the claim that they show.
    pub(in crate::review) fn actor(&self, claim: Option<Uuid>) -> Actor<'_> {
        Actor { name: &self.name, role: self.role(), claim }
    }
}

/// The id of what a command adds. The caller may choose it, so that a command whose answer was lost can be repeated.
#[derive(Debug, Clone, Args)]
pub(in crate::review) struct OwnId {
    /// Id for what is added, a UUID of your own; repeated with it, the command adds nothing and gives the same answer
    #[arg(long, value_name = "UUID")]
    id: Option<Uuid>,
}

impl OwnId {
    /// The id that was given, or else a new one.
    pub(in crate::review) fn or_new(&self) -> Uuid {
        self.id.unwrap_or_else(Uuid::now_v7)
    }
}

/// A person's name, for clap: without spaces around it.
///
/// # Errors
/// What names are taken.
pub(in crate::review) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {NAME_MAX_CHARS} characters, and no control characters"));
    }
    Ok(name.to_owned())
}

/// What somebody writes to an author or to the team, for clap: without spaces around it.
///
/// # Errors
/// What texts are taken.
pub(crate) fn words(text: &str) -> Result<String, String> {
    let words = text.trim();
    match words.chars().count() {
        0 => Err("a text that is not empty".to_owned()),
        long if long > MESSAGE_MAX_CHARS => Err(format!("at most {MESSAGE_MAX_CHARS} characters; it has {long}")),
        _ => Ok(words.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_on_one_line() {
        assert_eq!(name("  Ann 王 "), Ok("Ann 王".to_owned()));
        assert_eq!(name(&"é".repeat(100)).map(|name| name.chars().count()), Ok(100));
        for wrong in ["", "  ", "a\nb", "a\u{9b}b", &"x".repeat(101)] {
            assert!(name(wrong).expect_err(wrong).contains("1 to 100"), "{wrong:?}");
        }
    }

    #[test]
    fn a_text_is_not_empty_and_has_at_most_2000_characters() {
        assert_eq!(words(" a\nb "), Ok("a\nb".to_owned()));
        assert!(words(&"終".repeat(2000)).is_ok());
        assert!(words(&"x".repeat(2001)).expect_err("too long").contains("2001") && words(" ").is_err());
    }
}
