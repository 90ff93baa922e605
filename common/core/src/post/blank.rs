//! Which texts are blank: a post needs a title and a content that a reader can see.

use std::sync::LazyLock;

use regex::Regex;

/// Whether a text has a character that is neither white space nor invisible, nor only a mark on another character.
///
/// Invisible are what Unicode lets a program ignore where it has no glyph for it (zero-width characters, fillers,
/// variation selectors, tags), controls, directions of writing, and the two characters whose glyph is blank by design.
#[must_use]
pub fn has_visible(text: &str) -> bool {
    static VISIBLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Mn}\p{Me}\u{2800}\u{1D159}]").ok()
    });
    // Most texts need no regular expression.
    let begins_visibly = text.bytes().take(16).any(|byte| byte.is_ascii_graphic());
    begins_visibly || VISIBLE.as_ref().map_or_else(|| !text.trim().is_empty(), |visible| visible.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_no_text() {
        for invisible in [
            "",
            " \t\r\n",
            "\u{a0}\u{2003}\u{3000}\u{2028}",
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}\u{1160}",
            "\u{2800}\u{2800}",
            "\u{ad}",
            "\u{180e}\u{180b}\u{180f}",
            "\u{34f}",
            "\u{fe0f}",
            "\u{fe00}\u{e0100}",
            "\u{e0001}\u{e0041}\u{e007f}",
            "\u{61c}\u{202e}\u{2066}\u{2069}",
            "\u{fff9}\u{fffb}",
            "\u{0}\u{1b}\u{7f}\u{85}",
            "\u{301}\u{20dd}\u{20e3}",
            "\u{1d159}\u{1d173}",
            "\u{17b4}\u{2065}\u{fff0}",
        ] {
            assert!(!has_visible(invisible), "{invisible:?}");
        }
        for visible in [
            "t",
            "\u{200b}t",
            ".",
            "早",
            "é",
            "e\u{301}",
            "❤\u{fe0f}",
            "👩\u{200d}👩",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e007f}",
            "\u{feff}                    x",
            "\u{fffd}",
            "\u{e000}",
            "नि",
            "ـ",
            "가",
            "ᄀ",
        ] {
            assert!(has_visible(visible), "{visible:?}");
        }
    }
}
