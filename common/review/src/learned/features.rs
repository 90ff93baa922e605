//! What a text is to a scorer: which n-grams it holds, each as the number of a bucket.
//!
//! ```text
//!  "Win £500 now" ─ folded, digits alike ─► " win £000 now "
//!        ├─ two to five characters in a row: " w", " wi", … "000 n", "now "
//!        └─ two words in a row: "win 500", "500 now"                      ──► hash ──► bucket
//! ```
//!
//! How often an n-gram stands in a text makes no difference: otherwise whoever repeats one decides. Digits are alike
//! among characters, so that one campaign's prices and numbers tell of the next one's; in words they stay. Chinese needs
//! no words: two to four of its characters in a row are words.

use std::cell::RefCell;

use crate::fold::has_word_edges;

/// The number of buckets, as a power of two. So many weights stay in a processor's cache, and the n-grams of some
/// hundred thousand texts that tell anything seldom share one.
pub(super) const BITS: u32 = 18;
/// The number of buckets.
pub(super) const BUCKETS: usize = 1 << BITS;
/// The fewest and the most characters of an n-gram.
const LENGTHS: [usize; 2] = [2, 5];
/// For how many characters room is kept from one text to the next.
const KEPT: usize = 1 << 14;
/// The odd multiplier of FxHash. The hash is a part of the file's format: another one is another version.
const MULTIPLIER: u64 = 0x51_7c_c1_b7_27_22_0a_95;
/// Where the hashes of words begin, so that they are not those of the same characters.
const WORDS: u64 = 0x9e37_79b9_7f4a_7c15;

/// A place of a field's folded text, in bytes: where an n-gram begins, and where it ends.
pub(super) type Place = [usize; 2];

/// Finds all n-grams of a folded text, as often as they stand there: the bucket, and the place.
pub(super) fn each(folded: &str, mut found: impl FnMut(u32, Place)) {
    CHARACTERS.with_borrow_mut(|characters| {
        characters.clear();
        // A blank before and after it, so that the first word and the last are whole ones, too.
        characters.push((u32::from(' '), 0));
        characters.extend(folded.char_indices().map(|(at, c)| (alike(c), at)));
        characters.extend([(u32::from(' '), folded.len()), (0, folded.len())]);
        if characters.len() > 3 {
            of_characters(characters, &mut found);
            of_words(folded, &mut found);
        }
        // Of the longest texts, no thread keeps the room.
        characters.shrink_to(KEPT);
    });
}

thread_local! {
    /// The characters of the text that is looked at, each with its place; the last one is no character but the end.
    static CHARACTERS: RefCell<Vec<(u32, usize)>> = const { RefCell::new(Vec::new()) };
}

fn of_characters(characters: &[(u32, usize)], found: &mut impl FnMut(u32, Place)) {
    let [least, most] = LENGTHS;
    for first in 0..characters.len() - least {
        let (mut hash, from) = (0, characters[first].1);
        let last = (first + most).min(characters.len() - 1);
        for (before, pair) in characters[first..=last].windows(2).enumerate() {
            hash = step(hash, pair[0].0);
            if before + 1 >= least {
                found(bucket(hash), [from, pair[1].1]);
            }
        }
    }
}

fn of_words(folded: &str, found: &mut impl FnMut(u32, Place)) {
    let mut before: Option<(u64, usize)> = None;
    let mut word: Option<(u64, usize)> = None;
    for (at, c) in folded.char_indices().chain([(folded.len(), ' ')]) {
        if has_word_edges(c) {
            let (hash, from) = word.unwrap_or((WORDS, at));
            word = Some((step(hash, u32::from(c)), from));
        } else if let Some((hash, from)) = word.take() {
            if let Some((first, first_from)) = before {
                found(bucket(step64(first, hash)), [first_from, at]);
            }
            before = Some((hash, from));
        }
    }
}

/// What of a character counts among characters.
fn alike(c: char) -> u32 {
    if c.is_ascii_digit() { u32::from('0') } else { u32::from(c) }
}

fn step(hash: u64, c: u32) -> u64 {
    step64(hash, u64::from(c))
}

fn step64(hash: u64, more: u64) -> u64 {
    (hash.rotate_left(5) ^ more).wrapping_mul(MULTIPLIER)
}

/// The highest bits: they depend on all others.
fn bucket(hash: u64) -> u32 {
    (hash >> (u64::BITS - BITS)) as u32
}

/// The buckets of one text, each once.
pub(super) struct Buckets {
    there: Vec<u64>,
    all: Vec<u32>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { there: vec![0; BUCKETS / 64], all: Vec::new() }
    }
}

impl Buckets {
    /// Those of the folded fields of a text, in the order in which they come up first.
    pub(super) fn of<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) -> &[u32] {
        self.forget();
        for field in fields {
            each(field, |bucket, _| {
                let (word, bit) = (&mut self.there[bucket as usize / 64], 1 << (bucket % 64));
                if *word & bit == 0 {
                    *word |= bit;
                    self.all.push(bucket);
                }
            });
        }
        &self.all
    }

    /// What the weights of these buckets come to, each counted once, and how many there are: without a list of them.
    pub(super) fn weighed<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>, weights: &[i8]) -> (i32, usize) {
        self.forget();
        let (mut sum, mut count) = (0, 0);
        for field in fields {
            each(field, |bucket, _| {
                let word = &mut self.there[bucket as usize / 64];
                // 1, if it is there for the first time.
                let first = !(*word >> (bucket % 64)) & 1;
                *word |= 1 << (bucket % 64);
                sum += i32::from(weights[bucket as usize]) * first as i32;
                count += first as usize;
            });
        }
        self.there.fill(0);
        (sum, count)
    }

    fn forget(&mut self) {
        for bucket in self.all.drain(..) {
            self.there[bucket as usize / 64] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::folded;
    use proptest::prelude::*;

    fn buckets(text: &str) -> Vec<u32> {
        let mut all = Buckets::default().of([folded(text).as_str()]).to_vec();
        all.sort_unstable();
        all
    }

    #[test]
    fn case_width_and_which_digits_make_no_difference_but_words_do() {
        assert_eq!(buckets("Win FREE money"), buckets("ｗｉｎ free ＭＯＮＥＹ"));
        assert_eq!(buckets("a00"), buckets("a77"));
        let shared = |one: &str, other: &str| {
            let other = buckets(other);
            buckets(one).iter().filter(|bucket| other.contains(bucket)).count()
        };
        assert_eq!(buckets("win 500").len(), shared("win 500", "win 600") + 1, "only the pair of words differs");
        assert_eq!(buckets("word").len(), 5 + 4 + 3 + 2, "of six characters, the blanks among them");
    }

    #[test]
    fn how_often_something_is_said_makes_no_difference() {
        assert_eq!(buckets("ha ha ha ha"), buckets("ha ".repeat(1000).trim_end()));
        assert!(buckets("").is_empty());
    }

    #[test]
    fn a_second_text_is_not_added_to_the_first() {
        let mut buckets = Buckets::default();
        let first = buckets.of(["one", "text"]).to_vec();
        buckets.of(["another"]);
        assert_eq!(buckets.of(["one", "text"]), first);
        let weights: Vec<i8> = (0..BUCKETS).map(|bucket| (bucket % 251) as i8).collect();
        let sum = first.iter().map(|bucket| i32::from(weights[*bucket as usize])).sum();
        assert_eq!(buckets.weighed(["one", "text"], &weights), (sum, first.len()));
        assert_eq!(buckets.weighed(["one", "text"], &weights), (sum, first.len()));
        assert_eq!(buckets.of(["one", "text"]), first);
    }

    proptest! {
        #[test]
        fn every_place_is_within_the_text_and_between_characters(text in "(?s).{0,40}") {
            each(&text, |bucket, [from, to]| {
                assert!((bucket as usize) < BUCKETS);
                assert!(from <= to && text.get(from..to).is_some(), "{from}..{to}");
            });
        }
    }
}
