//! Text of strangers, made safe for a terminal. A post may hold escape sequences that move the cursor, change the
//! window's title or hide text; an operator must see that they are there, and the terminal must not obey them.

/// Text on one line: every control character, line breaks included, in its escaped form.
#[must_use]
pub fn line(text: &str) -> String {
    escape(text, |_| false)
}

/// Text on as many lines as it has; every other control character in its escaped form.
#[must_use]
pub fn block(text: &str) -> String {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// The first `max` characters of a line, marked where it is cut.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let text = line(text);
    if text.chars().count() <= max {
        return text;
    }
    let mut kept: String = text.chars().take(max.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() || reorders(c)) && !keep(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that make the text around them be shown in another order than it has, or not at all.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A word for a shell's command line, quoted where it must be.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    if word.chars().all(|c| !c.is_control() && !reorders(c)) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("$'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_reaches_the_terminal() {
        let nasty = "a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d\te\u{7f}";
        assert_eq!(line(nasty), r"a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d\te\u{7f}");
        assert_eq!(block(nasty), "a\\u{1b}[2Jb\\u{9b}31m\\r\nc\\u{202e}d\te\\u{7f}");
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        assert_eq!(line("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_marked() {
        assert_eq!(cut("äöüß", 4), "äöüß");
        assert_eq!(cut("äöüßa", 4), "äöü…");
    }

    #[test]
    fn a_word_is_quoted_so_that_a_shell_reads_it_back() {
        assert_eq!(shell_word("0193a5b2-7c55"), "0193a5b2-7c55");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's; rm *"), r"'it'\''s; rm *'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\u{1b}"), r"$'\x61\x1b'");
    }
}
