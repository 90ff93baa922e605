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

/// Finds all n-grams of a folded text, as often as they stand there: the hash, and the place.
pub(super) fn each(folded: &str, mut found: impl FnMut(u64, Place)) {
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

/// A blank, and the edge of a text.
pub(super) const BLANK_EDGE: char = ' ';

/// The hash of some characters in a row.
pub(super) fn hash_of_characters(characters: impl Iterator<Item = char>) -> u64 {
    characters.fold(0, |hash, c| step(hash, alike(c)))
}

/// The hash of two words in a row.
pub(super) fn hash_of_words(one: &str, other: &str) -> u64 {
    let word = |word: &str| word.chars().fold(WORDS, |hash, c| step(hash, u32::from(c)));
    step64(word(one), word(other))
}

/// The same n-grams of characters as [`each`] finds, as they are compared.
pub(super) fn characters(folded: &str, mut found: impl FnMut(&[char])) {
    let alike = folded.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    let all: Vec<char> = std::iter::once(BLANK_EDGE).chain(alike).chain([BLANK_EDGE]).collect();
    let [least, most] = LENGTHS;
    if all.len() > 2 {
        for first in 0..all.len() {
            (least..=most).filter_map(|length| all.get(first..first + length)).for_each(&mut found);
        }
    }
}

/// The same pairs of words as [`each`] finds.
pub(super) fn words(folded: &str, mut found: impl FnMut(&str, &str)) {
    let all: Vec<&str> = folded.split(|c| !has_word_edges(c)).filter(|word| !word.is_empty()).collect();
    all.windows(2).for_each(|pair| found(pair[0], pair[1]));
}

fn of_characters(characters: &[(u32, usize)], found: &mut impl FnMut(u64, Place)) {
    let [least, most] = LENGTHS;
    for first in 0..characters.len() - least {
        let (mut hash, from) = (0, characters[first].1);
        let last = (first + most).min(characters.len() - 1);
        for (before, pair) in characters[first..=last].windows(2).enumerate() {
            hash = step(hash, pair[0].0);
            if before + 1 >= least {
                found(hash, [from, pair[1].1]);
            }
        }
    }
}

fn of_words(folded: &str, found: &mut impl FnMut(u64, Place)) {
    let mut before: Option<(u64, usize)> = None;
    let mut word: Option<(u64, usize)> = None;
    for (at, c) in folded.char_indices().chain([(folded.len(), ' ')]) {
        if has_word_edges(c) {
            let (hash, from) = word.unwrap_or((WORDS, at));
            word = Some((step(hash, u32::from(c)), from));
        } else if let Some((hash, from)) = word.take() {
            if let Some((first, first_from)) = before {
                found(step64(first, hash), [first_from, at]);
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

/// The bucket of a hash. The highest bits: they depend on all others.
pub(super) fn bucket(hash: u64) -> u32 {
    (hash >> (u64::BITS - BITS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn n_grams_as_texts_have_the_hashes_of_those_that_are_found(text in "(?s)[ a-c0-9福利\n|]{0,30}") {
            let (mut found, mut told) = (Vec::new(), Vec::new());
            each(&text, |hash, _| found.push(hash));
            characters(&text, |ngram| told.push(hash_of_characters(ngram.iter().copied())));
            words(&text, |one, other| told.push(hash_of_words(one, other)));
            found.sort_unstable();
            told.sort_unstable();
            prop_assert_eq!(found, told);
        }

        #[test]
        fn every_place_is_within_the_text_and_between_characters(text in "(?s).{0,40}") {
            each(&text, |hash, [from, to]| {
                assert!((bucket(hash) as usize) < BUCKETS);
                assert!(from <= to && text.get(from..to).is_some(), "{from}..{to}");
            });
        }
    }
}
