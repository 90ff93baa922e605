//! N-grams with a weight each, as a text that people can read.
//!
//! ```text
//!  # a comment
//!  threshold 1.5
//!  bias -1.56
//!  scale 0.1
//!  加薇 120
//!  ␣dm␣ 31
//!  text|me 22
//! ```
//!
//! A line is an n-gram and its weight in parts of the scale. `␣` is a blank, and the edge of a text; `|` stands between
//! two words in a row.

use super::super::features::{hash_of_characters, hash_of_words};
use super::super::gauge::Gauge;
use super::super::listed::Listed;
use super::super::model::{Model, Weights};
use super::NAME;

/// Stands for a blank in the text.
pub(super) const BLANK: char = '␣';
/// Stands between two words.
pub(super) const PAIR: char = '|';

/// The weights of a list.
///
/// # Errors
/// The line that is wrong.
pub(super) fn read(text: &str) -> Result<Gauge, String> {
    let (mut numbers, mut ngrams) = ([None; 3], Vec::new());
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let wrong = || format!("{line:?} is no n-gram with its weight");
        let (ngram, number) = line.rsplit_once(' ').ok_or_else(wrong)?;
        match ["threshold", "bias", "scale"].iter().position(|name| *name == ngram) {
            Some(nth) => numbers[nth] = Some(number.parse::<f32>().map_err(|_| wrong())?),
            None => ngrams.push((hash(ngram), number.parse().map_err(|_| wrong())?)),
        }
    }
    let [Some(threshold), Some(bias), Some(scale)] = numbers else { return Err("a number is missing".to_owned()) };
    Ok(Gauge { name: NAME, model: Model { weights: Weights::Listed(Listed::new(&ngrams)), scale, bias }, threshold })
}

/// The hash of an n-gram as it is written.
fn hash(ngram: &str) -> u64 {
    match ngram.split_once(PAIR) {
        Some((one, other)) => hash_of_words(one, other),
        None => hash_of_characters(ngram.chars().map(|c| if c == BLANK { ' ' } else { c })),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::features::each;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_that_comes_with_the_program_is_in_order() {
        let gauge = read(super::super::TEXT).expect("it is in order");
        assert!(gauge.model.bias < gauge.threshold, "a text that is like nothing that was learnt is not held");
        let mut seen = HashSet::new();
        let lines = super::super::TEXT.lines().filter(|line| !line.starts_with("# "));
        assert!(lines.filter_map(|line| line.rsplit_once(' ')).all(|(ngram, _)| seen.insert(hash(ngram))), "twice");
    }

    #[test]
    fn an_n_gram_is_found_by_what_is_written_of_it_and_nothing_else_is() {
        let gauge =
            read("threshold 1.5\nbias -1\nscale 0.5\n加薇 120\n␣dm␣ 31\ntext|me -22\n# no\n").expect("in order");
        let weights = |text: &str| {
            let mut found = Vec::new();
            each(text, |hash, _| found.extend(Some(gauge.model.weights.of(hash)).filter(|weight| *weight != 0)));
            found
        };
        assert_eq!(weights("加薇"), [120]);
        assert_eq!(weights("dm"), [31]);
        assert_eq!(weights("text me"), [-22]);
        assert_eq!(weights("text you, me"), Vec::<i8>::new());
    }

    #[test]
    fn what_is_no_list_is_refused_with_the_line() {
        for (text, why) in [
            ("threshold 1\nbias 0\n", "a number is missing"),
            ("abc", "\"abc\" is no n-gram"),
            ("abc 300", "\"abc 300\" is no n-gram"),
            ("scale x", "\"scale x\" is no n-gram"),
        ] {
            assert!(read(text).is_err_and(|error| error.contains(why)), "{text}");
        }
    }
}
