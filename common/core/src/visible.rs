//! Text of strangers, made safe for a terminal and for whoever reads it. A post may hold escape sequences that move the
//! cursor, characters that turn the direction of what follows, and characters that nobody sees. A reader must see that
//! they are there, and the terminal must not obey them.
//!
//! What a character is, Unicode's own tables say (ICU's). They do not say what a glyph looks like: `BLANK` does.

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Characters that count as visible signs, and whose glyph is blank: the Braille pattern without dots, a musical sign,
/// a filler of a script.
const BLANK: [char; 3] = ['\u{2800}', '\u{1d159}', '\u{16fe4}'];
/// Joins two pictures into one.
const JOINER: char = '\u{200d}';
/// Asks for a picture in colours.
const COLOURED: char = '\u{fe0f}';

/// Whether a character cannot be seen, turns the direction of the text around it, or means nothing that can be relied
/// on: control characters (line breaks and tabs included), format characters, those that Unicode says may be ignored,
/// private and unassigned ones. Spaces are none of these.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    use GeneralCategory as Is;
    let hidden = matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        Is::Control | Is::Format | Is::LineSeparator | Is::ParagraphSeparator | Is::PrivateUse | Is::Unassigned
    );
    hidden
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || CodePointSetData::new::<BidiControl>().contains(c)
        || BLANK.contains(&c)
}

/// Text on one line: every hidden character, line breaks included, in its escaped form.
#[must_use]
pub fn line(text: &str) -> String {
    escape(text, |_| false)
}

/// Text on as many lines as it has; every other hidden character in its escaped form.
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
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    // What joined a picture to the next one joins nothing any more.
    format!("{}…", kept.trim_end_matches(JOINER))
}

/// A text of JSON that means the same and has no hidden character: they only ever stand inside its strings, where their
/// escaped form is allowed.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// A word for a shell's command line, quoted where it must be. Hidden characters have the form `$'\x1b'`, which bash,
/// zsh and ksh know.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    if !word.chars().any(is_hidden) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("$'{escaped}'")
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        if is_hidden(c) && !keep(c) && !is_part_of_a_picture(before, c, chars.peek().copied()) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// Whether a hidden character stands where people's pictures have it: the sign that asks for colours behind a picture,
/// the joiner between two of them.
fn is_part_of_a_picture(before: Option<char>, c: char, after: Option<char>) -> bool {
    let picture = |c: Option<char>| c.is_some_and(|c| CodePointSetData::new::<ExtendedPictographic>().contains(c));
    let skin = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{1f3fb}'..='\u{1f3ff}'));
    match c {
        COLOURED => picture(before),
        JOINER => (picture(before) || skin(before) || before == Some(COLOURED)) && picture(after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One of each kind that strangers have tried.
    const HIDDEN: &str = "\u{0}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{200b}\
        \u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2064}\u{2066}\u{2069}\u{206a}\u{2800}\
        \u{3164}\u{e000}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fff9}\u{fffb}\u{1bca0}\u{1d173}\u{e0001}\u{e0041}\
        \u{e007f}\u{e0100}\u{e01ef}\u{e0fff}\u{f0000}\u{10ffff}";

    #[test]
    fn every_hidden_character_is_marked_wherever_it_stands() {
        for hidden in HIDDEN.chars() {
            assert!(is_hidden(hidden), "{hidden:?}");
            for text in [format!("a{hidden}b"), format!("{hidden}"), format!("é{hidden}")] {
                for told in [line(&text), block(&text), cut(&text, 50), json(&text), shell_word(&text)] {
                    assert!(!told.chars().any(is_hidden), "{text:?} is told as {told:?}");
                }
            }
        }
    }

    #[test]
    fn no_escape_sequence_reaches_the_terminal() {
        let nasty = "a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d\te\u{7f}";
        assert_eq!(line(nasty), r"a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d\te\u{7f}");
        assert_eq!(block(nasty), "a\\u{1b}[2Jb\\u{9b}31m\\r\nc\\u{202e}d\te\\u{7f}");
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        for text in [
            "Grüße, 世界\u{3000}🙂",
            "שלום مرحبا",
            "हिन्दी ไทย",
            "I ❤\u{fe0f} 👩\u{200d}👩\u{1f3fd}\u{200d}👧, 10\u{a0}€",
        ] {
            assert_eq!(line(text), text);
        }
        assert_eq!(line("a\u{fe0f} 👩\u{200d}a"), r"a\u{fe0f} 👩\u{200d}a", "no picture is made of these");
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_marked() {
        assert_eq!(cut("äöüß", 4), "äöüß");
        assert_eq!(cut("äöüßa", 4), "äöü…");
        assert_eq!(cut("a👩\u{200d}👩b", 4), "a👩…");
    }

    #[test]
    fn a_word_is_quoted_so_that_a_shell_reads_it_back() {
        assert_eq!(shell_word("0193a5b2-7c55"), "0193a5b2-7c55");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's; rm *"), r"'it'\''s; rm *'");
        assert_eq!(shell_word("$(touch x)"), "'$(touch x)'");
        assert_eq!(shell_word("=ls"), "'=ls'", "which zsh takes for the path of ls");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\u{1b}"), r"$'\x61\x1b'");
    }

    proptest! {
        #[test]
        fn json_without_hidden_characters_means_the_same(text in ".*", hidden in proptest::sample::select(HIDDEN.chars().collect::<Vec<_>>())) {
            let value = serde_json::json!({ "text": text.clone(), "more": [format!("{text}{hidden}")] });
            let told = json(&value.to_string());
            prop_assert!(!told.chars().any(is_hidden), "{told:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&told).ok(), Some(value));
        }

        #[test]
        fn bash_reads_every_quoted_word_back(word in "[^\0]{0,20}") {
            let asked = format!("printf %s {}", shell_word(&word));
            if let Ok(output) = std::process::Command::new("bash").args(["--norc", "-c", &asked]).output() {
                prop_assert_eq!(String::from_utf8_lossy(&output.stdout), word);
            }
        }
    }
}
