//! A sketch of a text: 64 bytes, of which two texts share about as many as they share of their pieces.
//!
//! ```text
//!  own words ─ folded ─► letters, 0 for a digit ─► pieces: five letters, two ideographs ─► a hash each
//!                                                                                        │
//!   64 rows: of the hashes that fall into a row, eight bits of the least ◄───────────────┘
//! ```
//!
//! This is MinHash by one permutation: one hash for each piece, whatever the number of rows. Rows into which none falls
//! take over another's, each always from the same places, so that two texts agree in such a row as often as in others.

use super::hash::mixed;
use super::unquoted::unquoted;
use crate::fold::is_han;
use crate::table::{fold, is_alphanumeric};

/// Rows of a sketch.
pub(super) const ROWS: usize = 64;
/// How much of a text is read, in bytes.
const READ_MAX_BYTES: usize = 16 * 1024;
/// The least that a text must say: letters and digits, of which an ideograph counts for three.
const LEAST_LETTERS: usize = 60;
/// The least number of rows into which pieces must fall: "hahahaha…" says little, however long it is.
const LEAST_ROWS: usize = 12;
/// In how many rows the sketches of near copies agree at least: such texts share about half of their pieces.
pub(super) const ALIKE: u32 = ROWS as u32 / 2;
/// No piece fell into this row.
const EMPTY: u32 = u32::MAX;

/// What a text says, in 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch(pub(super) [u8; ROWS]);

impl Sketch {
    /// The sketch of a post's content; `None` where it says too little of its own for copies to mean anything, as
    /// greetings and thanks do.
    #[must_use]
    pub fn of(content: &str) -> Option<Self> {
        let read = &content[..content.floor_char_boundary(READ_MAX_BYTES)];
        let mut pieces = Pieces { rows: [EMPTY; ROWS], letters: 0, last: [0; 2] };
        for stretch in unquoted(read) {
            for c in stretch.chars() {
                match c {
                    'A'..='Z' => pieces.take(c.to_ascii_lowercase()),
                    'a'..='z' => pieces.take(c),
                    '0'..='9' => pieces.take('0'),
                    '\0'..='\x7F' => {}
                    _ => fold(c, |folded| {
                        if is_alphanumeric(folded) {
                            pieces.take(if folded.is_ascii_digit() { '0' } else { folded });
                        }
                    }),
                }
            }
        }
        pieces.sketch()
    }

    /// In how many of the 64 rows two sketches agree.
    #[must_use]
    pub fn alike(&self, other: &Self) -> u32 {
        // Bytes, of which the processor adds many at once.
        self.0.iter().zip(&other.0).map(|(one, other)| u8::from(one == other)).sum::<u8>().into()
    }
}

/// The pieces of a text, as they are read.
struct Pieces {
    rows: [u32; ROWS],
    letters: usize,
    /// The last letters, twelve bits of each, and the last ideographs, 21 bits of each.
    last: [u64; 2],
}

impl Pieces {
    fn take(&mut self, c: char) {
        let point = u64::from(u32::from(c));
        let [letters, ideographs] = &mut self.last;
        *letters = *letters << 12 | (point ^ (point >> 12)) & 0xFFF;
        *ideographs = *ideographs << 21 | point;
        let piece = if is_ideograph(c) {
            self.letters += 3;
            *ideographs & ((1 << 42) - 1)
        } else {
            self.letters += 1;
            *letters & ((1 << 60) - 1) | (1 << 63)
        };
        let hash = mixed(piece);
        // The upper six bits say which row.
        let (row, value) = ((hash >> 58) as usize, (hash >> 8) as u32);
        self.rows[row] = self.rows[row].min(value);
    }

    fn sketch(mut self) -> Option<Sketch> {
        let filled = self.rows.iter().filter(|row| **row != EMPTY).count();
        if self.letters < LEAST_LETTERS || filled < LEAST_ROWS {
            return None;
        }
        let taken = self.rows;
        for (at, row) in self.rows.iter_mut().enumerate().filter(|(_, row)| **row == EMPTY) {
            // As many tries as it takes: at least some rows are filled.
            let mut tries = (1_u64..).map(|nth| taken[(mixed(nth << 8 | at as u64) >> 58) as usize]);
            *row = tries.find(|other| *other != EMPTY).unwrap_or_default();
        }
        Some(Sketch(self.rows.map(|row| row as u8)))
    }
}

/// Whether one character is about a word: Chinese characters, kana, Korean syllables.
fn is_ideograph(c: char) -> bool {
    c >= '\u{3040}' && (is_han(c) || matches!(c, '\u{3040}'..='\u{30FF}' | '\u{AC00}'..='\u{D7A3}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENGLISH: &str = "We are selling three bicycles that our children have outgrown, all of them in good order; \
                           come and look at them on Saturday morning, number 14, and bring your own tools if you like.";
    const CHINESE: &str =
        "我们家三辆孩子骑不了的自行车低价转让，车况都很好，星期六上午可以过来看看，地址是十四号楼二单元。";

    fn sketch(text: &str) -> Sketch {
        Sketch::of(text).unwrap_or_else(|| panic!("it says too little: {text}"))
    }

    #[test]
    fn other_numbers_signs_disguises_and_a_few_other_words_leave_a_near_copy() {
        for (text, other) in [
            (ENGLISH, ENGLISH.replace("14", "97")),
            (ENGLISH, ENGLISH.to_uppercase().replace(' ', " \u{200B} ~ ")),
            (CHINESE, CHINESE.replace('，', "。。。*")),
            (CHINESE, CHINESE.replace("辆", "輛").replace("转让", "轉讓")),
        ] {
            assert_eq!(sketch(text), sketch(&other), "{other}");
        }
        for (text, other) in [
            (ENGLISH, ENGLISH.replace("Saturday morning", "Sunday evening").replace("bicycles", "bikes")),
            (ENGLISH, format!("Hi there! {ENGLISH} Thanks, Bob")),
            (CHINESE, CHINESE.replace("星期六上午", "星期天晚上")),
        ] {
            assert!((ALIKE..ROWS as u32).contains(&sketch(text).alike(&sketch(&other))), "{other}");
        }
    }

    #[test]
    fn other_texts_are_no_near_copies() {
        let other = "Does anybody know whether the library is open during the holidays? I have two books that are due.";
        let chinese = "请问有人知道图书馆假期开不开门吗？我借的两本书快到期了，打电话过去一直没有人接听。";
        let texts = [ENGLISH, CHINESE, other, chinese].map(sketch);
        for (at, one) in texts.iter().enumerate() {
            assert!(texts[at + 1..].iter().all(|other| one.alike(other) < ALIKE / 2), "{at}");
        }
    }

    #[test]
    fn greetings_thanks_and_laughter_have_no_sketch() {
        for text in [
            "",
            "thanks!",
            "Happy birthday, hope you have a great day!",
            "Thanks for the great post, keep up the good work!",
            "谢谢楼主分享",
            "感谢楼主的无私分享，好人一生平安",
            &"ha".repeat(500),
            &"哈".repeat(500),
            &"+1 ".repeat(500),
            &"=-".repeat(500),
        ] {
            assert_eq!(Sketch::of(text), None, "{text}");
        }
    }

    #[test]
    fn whoever_quotes_a_post_has_not_copied_it() {
        let quoted = format!("[quote=ann]{ENGLISH}[/quote]\nI agree");
        assert_eq!(Sketch::of(&quoted), None);
        assert_eq!(Sketch::of(&format!("> {ENGLISH}\n\nso do I")), None);
        assert_eq!(sketch(&format!("> {CHINESE}\n{ENGLISH}")), sketch(ENGLISH));
    }

    #[test]
    fn of_a_long_text_the_beginning_counts() {
        let letter = |number: u64| char::from(b'a' + (mixed(number) % 26) as u8);
        let long: String = (0..30_000).map(letter).collect();
        assert_eq!(sketch(&long[..READ_MAX_BYTES]), sketch(&long));
        assert_ne!(sketch(&long[..READ_MAX_BYTES / 2]), sketch(&long));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(?s).{0,200}") {
            let sketch = Sketch::of(&text);
            prop_assert_eq!(sketch.map(|sketch| sketch.alike(&sketch)), sketch.map(|_| ROWS as u32));
        }
    }
}
