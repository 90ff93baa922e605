//! Suggested commands. They are pasted into a shell, and the ids in them come from outside, so each is quoted as one
//! word.

use crate::visible::shell_word;

/// The command that does `words` (like `dlq show`) with one id.
#[must_use]
pub fn command(words: &str, prefix: &str, id: &str) -> String {
    // After `--`, a value that begins with a dash is not a flag.
    let dashes = if id.starts_with('-') { " --" } else { "" };
    format!("{}{dashes} {}", of_prefix(words, prefix), shell_word(id))
}

/// The command that does `words` with the value of a flag, like `--dead_letter`.
#[must_use]
pub fn with_flag(words: &str, prefix: &str, flag: &str, value: &str) -> String {
    // After `=`, a value may begin with a dash.
    format!("{} {flag}={}", of_prefix(words, prefix), shell_word(value))
}

fn of_prefix(words: &str, prefix: &str) -> String {
    let prefix = if prefix == "post" { String::new() } else { format!(" --prefix {}", shell_word(prefix)) };
    format!("sluice {words}{prefix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell_whatever_the_id_is() {
        assert_eq!(command("dlq replay", "post", "0193-a5b2"), "sluice dlq replay 0193-a5b2");
        assert_eq!(command("dlq replay", "blue", "a b"), "sluice dlq replay --prefix blue 'a b'");
        assert_eq!(command("dlq replay", "post", "-x"), "sluice dlq replay -- -x");
        assert_eq!(command("why", "post", "$(touch x)"), "sluice why '$(touch x)'");
        assert_eq!(
            with_flag("dlq audit", "blue", "--dead-letter", "-a b"),
            "sluice dlq audit --prefix blue --dead-letter='-a b'"
        );
    }
}
