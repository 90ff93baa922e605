//! Texts that are looked for all at once, by one automaton.

use std::ops::Range;

use daachorse::DoubleArrayAhoCorasick;

use super::error::{RulesError, Source};

/// Texts to look for, each with the terms it stands for.
pub(super) struct Index {
    automaton: Option<DoubleArrayAhoCorasick<u32>>,
    /// By text, and one more: where its terms begin among the members, and where what comes after them does.
    firsts: Vec<[u32; 2]>,
    members: Vec<u32>,
    longest: usize,
}

impl Index {
    /// Members from `terms` on are no terms.
    pub(super) fn new(mut texts: Vec<(String, u32)>, terms: usize, source: Source<'_>) -> Result<Self, RulesError> {
        texts.sort_unstable();
        let mut distinct: Vec<&str> = Vec::new();
        let (mut firsts, mut members) = (Vec::new(), Vec::new());
        for (text, term) in &texts {
            let next = members.len() as u32;
            if distinct.last() != Some(&text.as_str()) {
                distinct.push(text);
                firsts.push([next, next]);
            }
            members.push(*term);
            if let Some([_, end]) = firsts.last_mut().filter(|_| (*term as usize) < terms) {
                *end = next + 1;
            }
        }
        firsts.push([members.len() as u32; 2]);
        let automaton = match distinct.is_empty() {
            true => None,
            false => Some(DoubleArrayAhoCorasick::new(&distinct).map_err(|error| source.too_large(error))?),
        };
        let longest = texts.iter().map(|(text, _)| text.len()).max().unwrap_or_default();
        Ok(Self { automaton, firsts, members, longest })
    }

    /// Each place of each text, with its terms, and with what else it stands for.
    pub(super) fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (Range<usize>, &'a [u32], &'a [u32])> {
        self.automaton.iter().flat_map(move |automaton| automaton.find_overlapping_iter(text)).map(|found| {
            let nth = found.value() as usize;
            let ([first, end], [next, _]) = (self.firsts[nth], self.firsts[nth + 1]);
            let (terms, others) = (first as usize..end as usize, end as usize..next as usize);
            (found.start()..found.end(), &self.members[terms], &self.members[others])
        })
    }

    /// The length of the longest text, in bytes; 0, where there are none.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_stands_for_is_parted_into_terms_and_others() {
        let source = Source { origin: "r.toml", text: "" };
        let texts = [("loan", 0), ("loan", 1), ("loan", 5), ("an", 6), ("cash", 2)];
        let texts = texts.map(|(text, term)| (text.to_owned(), term)).to_vec();
        let index = Index::new(texts, 5, source).expect("they are few");
        let found: Vec<_> = index.find(b"a loan, cash").collect();
        let (terms, none) = (&[0, 1][..], &[][..]);
        assert_eq!(found, [(2..6, terms, &[5][..]), (4..6, none, &[6]), (8..12, &[2], none)]);
        assert_eq!(index.longest(), 4);
        let empty = Index::new(Vec::new(), 0, source).expect("there are none");
        assert_eq!((empty.find(b"a loan").count(), empty.longest()), (0, 0));
    }
}
