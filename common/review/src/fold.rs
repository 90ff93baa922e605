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
//! mathematical, circled and squared letters, accents, letters of other scripts that look like ASCII ones, traditional
//! characters, typographic quotes and dashes, invisible characters, runs of white space. It does not guess: digits for
//! letters, separators and repeats stay as they are here ("Bob" must not become "boob"), and are for the views.

use std::ops::Range;

use super::table::{fold, is_folded};

/// A text and its folded form.
pub(super) struct Folded<'a> {
    original: &'a str,
    text: String,
    /// Where the way back changes. Up to the first of these, and in a text without any, it is the same byte.
    pieces: Vec<Piece>,
}

/// A stretch of the folded text, up to the next one.
struct Piece {
    /// Where it begins.
    at: usize,
    /// Where in the original it comes from.
    from: usize,
    /// Whether all of it is what the one character there became; otherwise it is as long as what it comes from.
    one: bool,
}

impl<'a> Folded<'a> {
    pub(super) fn new(original: &'a str) -> Self {
        let mut folded = Self { original, text: String::with_capacity(original.len()), pieces: Vec::new() };
        let mut at = 0;
        while at < original.len() {
            at = folded.take_ascii(at);
            at = folded.take_unchanged(at);
            at = folded.take_one(at);
        }
        folded
    }

    /// Takes in letters and signs of ASCII with blanks between them, which are most of many texts, all at once.
    fn take_ascii(&mut self, from: usize) -> usize {
        let mut blank = self.text.ends_with(' ');
        let mut end = from;
        for byte in &self.original.as_bytes()[from..] {
            let blank_again = blank && *byte == b' ';
            if blank_again || !matches!(byte, b' '..=b'~') {
                break;
            }
            blank = *byte == b' ';
            end += 1;
        }
        let start = self.text.len();
        self.take(from..end);
        self.text[start..].make_ascii_lowercase();
        end
    }

    /// Takes in characters beyond ASCII that stay as they are, such as most Chinese ones, all at once.
    fn take_unchanged(&mut self, from: usize) -> usize {
        let unchanged = self.original[from..].chars().take_while(|c| !c.is_ascii() && is_folded(*c));
        let end = from + unchanged.map(char::len_utf8).sum::<usize>();
        self.take(from..end);
        end
    }

    fn take(&mut self, origin: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(&self.original[origin.clone()]);
        self.lead_back(start, origin);
    }

    /// Takes in one character, unless it is a letter or sign of ASCII.
    fn take_one(&mut self, from: usize) -> usize {
        let Some(c) = self.original[from..].chars().next().filter(|c| !c.is_ascii_graphic()) else { return from };
        let start = self.text.len();
        fold(c, |folded| {
            // A run of white space is one blank, whatever it is made of: "click\n  here" is "click here".
            if folded != ' ' || !self.text.ends_with(' ') {
                self.text.push(folded);
            }
        });
        let end = from + c.len_utf8();
        self.lead_back(start, from..end);
        end
    }

    /// What was added from `start` on comes from this stretch of the original.
    fn lead_back(&mut self, start: usize, origin: Range<usize>) {
        let added = self.text.len() - start;
        let one = added != origin.len();
        let goes_on = match self.pieces.last() {
            None => start == origin.start,
            Some(last) => !last.one && last.from + (start - last.at) == origin.start,
        };
        if added > 0 && (one || !goes_on) {
            self.pieces.push(Piece { at: start, from: origin.start, one });
        }
    }

    /// What terms and patterns are looked for in.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the original a stretch of the folded text stands: from the beginning of its first character to the
    /// end of its last. `None`, when it is empty or not within the folded text.
    pub(super) fn origin(&self, folded: &Range<usize>) -> Option<Range<usize>> {
        let within = folded.start < folded.end && folded.end <= self.text.len();
        let last = within.then(|| self.character(folded.end - 1))?;
        let last_character = self.original.get(last..)?.chars().next()?;
        Some(self.character(folded.start)..last + last_character.len_utf8())
    }

    /// Where in the original the character begins that a byte of the folded text came from.
    fn character(&self, at: usize) -> usize {
        let before = self.pieces.partition_point(|piece| piece.at <= at);
        let from = match self.pieces[..before].last() {
            None => at,
            Some(piece) if piece.one => piece.from,
            Some(piece) => piece.from + (at - piece.at),
        };
        self.original.floor_char_boundary(from)
    }
}

/// A whole text, folded, for those who need no way back.
pub(super) fn folded(original: &str) -> String {
    Folded::new(original).text
}

/// Whether this is a Chinese character. None of its script is below U+3400.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether words of this character's script are set apart by spaces, so that a word has edges that can be checked.
/// The line is drawn below Hangul, kana and Chinese characters, which all stand above it.
pub(super) fn has_word_edges(c: char) -> bool {
    c < '\u{1100}' && c.is_alphanumeric()
}

/// Whether a stretch that begins (ends) with a letter of a script with spaces begins (ends) a word there. Chinese
/// has no spaces: there nothing is asked.
pub(super) fn at_word_edges(text: &str, span: &Range<usize>) -> bool {
    let joined = |outside: Option<char>, inside: Option<char>| {
        outside.is_some_and(has_word_edges) && inside.is_some_and(has_word_edges)
    };
    let inside = &text[span.clone()];
    !joined(text[..span.start].chars().next_back(), inside.chars().next())
        && !joined(text[span.end..].chars().next(), inside.chars().next_back())
}

/// Whether no letter or digit of a script with spaces touches a stretch from outside.
pub(super) fn stands_alone(text: &str, span: &Range<usize>) -> bool {
    !text[..span.start].chars().next_back().is_some_and(has_word_edges)
        && !text[span.end..].chars().next().is_some_and(has_word_edges)
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
            ("🅵🆄🅲🅺 🄵🅄🄲🄺 🇫🇺", "fuck fuck fu"),
            ("сосk ѕех Рау", "cock sex pay"),
            ("賭博 微信 臺灣 一丨〇", "赌博 微信 台湾 一丨〇"),
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

    #[test]
    fn no_character_becomes_more_than_four() {
        let most = ('\0'..=char::MAX).map(|c| folded(c.encode_utf8(&mut [0; 4])).chars().count()).max();
        assert_eq!(most, Some(4));
        assert_eq!(folded("\u{FDFA}"), "\u{FDFA}");
    }

    #[test]
    fn a_latin_term_needs_word_edges_and_a_chinese_one_does_not() {
        let edges = |text: &str, term: &str| {
            let start = text.find(term).expect("the text holds the term");
            at_word_edges(text, &(start..start + term.len()))
        };
        assert!(edges("kick his ass!", "ass"));
        assert!(edges("你个ass啊", "ass"));
        assert!(edges("ass", "ass"));
        assert!(!edges("class", "ass"));
        assert!(!edges("assess", "ass"));
        assert!(!edges("ass2", "ass"));
        assert!(edges("有人刷单吗", "刷单"));
        assert!(edges("a刷单b", "刷单"));
        assert!(edges("加v信吧", "加v信"));
        assert!(!edges("加我vx", "我v"));
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
