//! How text gets into a page: escaped for HTML, and with marks for what cannot be seen or turns the direction of what
//! follows, as the commands show it. It is the escaper of all templates (`askama.toml`), so no text gets past it.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::visible::{block, is_hidden};

/// Escapes text for HTML, and marks hidden characters in it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marked;

impl Escaper for Marked {
    fn write_escaped_str<W: Write>(&self, dest: W, text: &str) -> fmt::Result {
        if text.is_ascii() && !text.chars().any(is_hidden) {
            return Html.write_escaped_str(dest, text);
        }
        Html.write_escaped_str(dest, &block(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_hidden_characters_are_marks() {
        let shown = |text: &str| {
            let mut page = String::new();
            Marked.write_escaped_str(&mut page, text).expect("a string takes it");
            page
        };
        assert_eq!(shown("<b a='\"'>&"), "&#60;b a=&#39;&#34;&#39;&#62;&#38;");
        assert_eq!(shown("a\u{202e}b\u{200b}\u{0}"), "a\\u{202e}b\\u{200b}\\u{0}");
        assert_eq!(shown("two\nlines, Größe, 🙂"), "two\nlines, Größe, 🙂");
    }
}
