//! Folding: one spelling for what readers take for the same word, with the way back to what was written.
//!
//! ```text
//!  ＦＲＥＥ  m\u{200b}oney   加 微信    as it was written
//!     │          │           │
//!   free       money      加 微信    as terms and patterns see it; every byte knows the character it came from
//! ```
//!
//! Texts, terms and the letters of patterns go through this one function: folded by two, they would drift apart and
//! matches would be lost in silence. It undoes what costs a writer nothing and changes no meaning: case, width,
//! mathematical and circled letters, accents, typographic quotes and dashes, invisible characters, runs of white
//! space. It does not guess: look-alike letters, digits for letters, traditional for simplified characters stay as
//! they are, and repeats are never collapsed ("Bob" must not become "boob").

use std::ops::Range;

use unicode_normalization::char::decompose_compatible;

/// A text and its folded form.
pub(super) struct Folded<'a> {
    original: &'a str,
    text: String,
    /// For each byte of `text`, where in `original` the character begins that it came from.
    origins: Vec<usize>,
}

impl<'a> Folded<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origins = Vec::with_capacity(original.len());
        for (at, c) in original.char_indices() {
            fold(c, |folded| {
                // A run of white space is one blank, whatever it is made of: "click\n  here" is "click here".
                if folded != ' ' || !text.ends_with(' ') {
                    text.push(folded);
                    origins.resize(text.len(), at);
                }
            });
        }
        Self { original, text, origins }
    }

    /// What terms and patterns are looked for in.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the original a stretch of the folded text stands: from the beginning of its first character to the
    /// end of its last. `None`, when it is empty or not within the folded text.
    pub(super) fn origin(&self, folded: &Range<usize>) -> Option<Range<usize>> {
        let origins = self.origins.get(folded.clone())?;
        let (first, last) = (*origins.first()?, *origins.last()?);
        let last_character = self.original.get(last..)?.chars().next()?;
        Some(first..last + last_character.len_utf8())
    }
}

/// A whole text, folded, for those who need no way back.
pub(super) fn folded(original: &str) -> String {
    Folded::new(original).text
}

/// Whether a character is left as it is, so that a pattern may hold it.
pub(super) fn is_folded(c: char) -> bool {
    let mut parts = 0;
    let mut same = true;
    fold(c, |folded| {
        parts += 1;
        same &= folded == c;
    });
    same && parts == 1
}

/// Whether words of this character's script are set apart by spaces, so that a word has edges that can be checked.
/// The line is drawn below Hangul, kana and Chinese characters, which all stand above it.
pub(super) fn has_word_edges(c: char) -> bool {
    c < '\u{1100}' && c.is_alphanumeric()
}

/// Hands on what one character becomes: nothing, one, or several.
fn fold(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii_graphic() {
        return emit(c.to_ascii_lowercase());
    }
    decompose_compatible(c, |part| {
        for lower in part.to_lowercase() {
            match plain(lower) {
                space if space.is_whitespace() => emit(' '),
                unseen if unseen.is_control() || is_unseen(unseen) => {}
                seen => emit(seen),
            }
        }
    });
}

/// The character on a keyboard for its typographic sisters. NFKC keeps these apart.
fn plain(c: char) -> char {
    match c {
        '‘' | '’' | '‛' | 'ʼ' => '\'',
        '“' | '”' | '‟' => '"',
        '‐'..='―' | '−' => '-',
        other => other,
    }
}

/// What takes no room of its own: zero-width and direction marks, soft hyphens, variation selectors, and the accents
/// that decomposing has split off. The vowel signs of Indic scripts are letters, and are not here.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
        | '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_readers_take_for_the_same_word_is_spelled_the_same() {
        for (written, read) in [
            ("FREE Money", "free money"),
            ("ＦＲＥＥ　ｍｏｎｅｙ", "free money"),
            ("fr\u{200B}ee m\u{00AD}on\u{FEFF}ey", "free money"),
            ("𝓯𝓻𝓮𝓮 ⓜⓞⓝⓔⓨ", "free money"),
            ("frëe\r\n\t mönèy", "free money"),
            ("you’re", "you're"),
            ("加微信：ＡＢＣ１２３", "加微信:abc123"),
            ("1️⃣3️⃣8️⃣", "138"),
            ("人口普查，日本。", "人口普查,日本。"),
            ("\u{0}\u{8}", ""),
        ] {
            assert_eq!(folded(written), read, "{written:?}");
        }
    }

    #[test]
    fn a_stretch_leads_back_to_what_was_written() {
        let original = "买 ＦＲ\u{200B}ＥＥ ™ 票";
        let folded = Folded::new(original);
        let at = folded.text().find("free").expect("the word is in the folded text");
        let span = folded.origin(&(at..at + 4)).expect("the stretch is within the text");
        assert_eq!(&original[span], "ＦＲ\u{200B}ＥＥ");
        let at = folded.text().find('m').expect("the sign was taken apart");
        assert_eq!(folded.origin(&(at..at + 1)).map(|span| &original[span]), Some("™"));
    }

    #[test]
    fn every_character_folds_to_what_stays_as_it_is() {
        for c in '\0'..=char::MAX {
            let once = folded(c.encode_utf8(&mut [0; 4]));
            assert_eq!(folded(&once), once, "{c:?} U+{:04X}", c as u32);
        }
    }

    proptest! {
        #[test]
        fn every_stretch_of_every_text_leads_back_between_characters(text in "(?s).{0,60}", a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let folded = Folded::new(&text);
            let at = |share: f64| (share * folded.text().len() as f64) as usize;
            let stretch = at(a.min(b))..at(a.max(b));
            match folded.origin(&stretch) {
                None => prop_assert!(stretch.is_empty()),
                Some(span) => prop_assert!(!text.get(span).expect("a span between characters").is_empty()),
            }
        }
    }
}
