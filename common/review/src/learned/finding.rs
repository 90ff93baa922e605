//! Which n-grams of a text spoke most against it, and where they stand.

use std::collections::HashSet;
use std::ops::Range;

use super::features::{bucket, each};
use crate::fold::{Folded, has_word_edges};
use sluice_core::verdict::Reason;

/// How many n-grams are named.
const NAMED_MAX: usize = 4;
/// From how many of the heaviest they are chosen: most overlap.
const CHOSEN_FROM: usize = 200;

/// The rule and the category of what the scorer finds.
pub(super) const LEARNED: &str = "learned";

/// A stretch of a text that speaks against it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// As a reason of the review, with the text whole.
    pub(super) reason: Reason,
    /// What of all that speaks against the text stands there, from 0 to 1.
    pub(super) share: f32,
}

/// An n-gram of one of the fields.
struct Ngram {
    weight: f32,
    field: usize,
    /// In the folded text, in bytes.
    place: [usize; 2],
}

/// The stretches that speak most against a text, the heaviest first. `weigh`: what an n-gram adds to the sum.
pub(super) fn stretches(rule: &str, fields: [(&'static str, &str); 2], weigh: impl Fn(u64) -> f32) -> Vec<Stretch> {
    let folded = fields.map(|(_, text)| Folded::new(text));
    let (mut seen, mut ngrams) = (HashSet::new(), Vec::new());
    for (field, text) in folded.iter().enumerate() {
        each(text.text(), |hash, place| {
            let weight = weigh(hash);
            if weight > 0.0 && seen.insert(bucket(hash)) {
                ngrams.push(Ngram { weight, field, place });
            }
        });
    }
    let all: f32 = ngrams.iter().map(|ngram| ngram.weight).sum();
    let heavier = |one: &Ngram, other: &Ngram| {
        other.weight.total_cmp(&one.weight).then((one.field, one.place).cmp(&(other.field, other.place)))
    };
    if ngrams.len() > CHOSEN_FROM {
        ngrams.select_nth_unstable_by(CHOSEN_FROM, heavier);
    }
    let heaviest = ngrams.len().min(CHOSEN_FROM);
    ngrams[..heaviest].sort_by(heavier);
    let mut taken: Vec<(usize, Range<usize>)> = Vec::new();
    for Ngram { field, place, .. } in &ngrams[..heaviest] {
        let Some(stretch) = words(folded[*field].text(), *place) else { continue };
        let overlaps = |(other, range): &(usize, Range<usize>)| {
            other == field && range.start < stretch.end && stretch.start < range.end
        };
        if !taken.iter().any(overlaps) {
            taken.push((*field, stretch));
        }
        if taken.len() == NAMED_MAX {
            break;
        }
    }
    let named = taken.into_iter().filter_map(|(field, stretch)| {
        let (name, text) = fields[field];
        let span = folded[field].origin(&stretch)?;
        let reason = Reason {
            rule: rule.to_owned(),
            category: rule.to_owned(),
            field: name.to_owned(),
            span: [span.start, span.end],
            text: text[span].to_owned(),
            matched: folded[field].text()[stretch.clone()].to_owned(),
            steps: Vec::new(),
        };
        let touches =
            |ngram: &&Ngram| ngram.field == field && ngram.place[0] < stretch.end && stretch.start < ngram.place[1];
        let there: f32 = ngrams.iter().filter(touches).map(|ngram| ngram.weight).sum();
        Some(Stretch { reason, share: there / all })
    });
    named.collect()
}

/// The words that an n-gram touches, which people can read; `None`, if it is only blank.
fn words(text: &str, [from, to]: [usize; 2]) -> Option<Range<usize>> {
    let ngram = &text[from..to];
    let begin = from + ngram.len() - ngram.trim_start().len();
    let end = from + ngram.trim_end().len();
    if begin >= end {
        return None;
    }
    let in_word = |c: &char| has_word_edges(*c);
    let (mut begin, mut end) = (begin, end);
    if text[begin..].chars().next().as_ref().is_some_and(in_word) {
        begin -= text[..begin].chars().rev().take_while(in_word).map(char::len_utf8).sum::<usize>();
    }
    if text[..end].chars().next_back().as_ref().is_some_and(in_word) {
        end += text[end..].chars().take_while(in_word).map(char::len_utf8).sum::<usize>();
    }
    Some(begin..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_n_gram_is_named_by_the_words_that_it_touches() {
        let text = "win a garden gnome!! 免费领取";
        let named = |ngram: &str| {
            let at = text.find(ngram).expect("it is there");
            words(text, [at, at + ngram.len()]).map(|range| &text[range])
        };
        assert_eq!(named("n gn"), Some("garden gnome"));
        assert_eq!(named("rde"), Some("garden"));
        assert_eq!(named(" a "), Some("a"));
        assert_eq!(named("!!"), Some("!!"));
        assert_eq!(named("免费"), Some("免费"));
        assert_eq!(named(" "), None);
    }

    #[test]
    fn the_heaviest_are_named_once_and_where_they_stand_in_the_original() {
        let mut heavy = HashSet::new();
        each("gnome", |hash, _| {
            heavy.insert(hash);
        });
        let weigh = |hash| if heavy.contains(&hash) { 1.0 } else { 0.0 };
        let named = stretches(LEARNED, [("title", "A ＧＮＯＭＥ"), ("content", "gnome and gnome")], weigh);
        assert_eq!(named.len(), 1, "the same n-grams in the content were counted in the title: {named:?}");
        let Reason { field, text, matched, span, .. } = &named[0].reason;
        assert_eq!((field.as_str(), text.as_str(), matched.as_str(), *span), ("title", "ＧＮＯＭＥ", "gnome", [2, 17]));
        assert!((named[0].share - 1.0).abs() < 1e-6, "all of it stands there");
        assert_eq!(stretches(LEARNED, [("title", ""), ("content", "fluff")], weigh), Vec::new());
    }
}
