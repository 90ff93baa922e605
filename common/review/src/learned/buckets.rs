//! The buckets of a text's n-grams, and what their weights come to.

use super::features::{BUCKETS, bucket, each};

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
            each(field, |hash, _| {
                let bucket = bucket(hash);
                let (word, bit) = (&mut self.there[bucket as usize / 64], 1 << (bucket % 64));
                if *word & bit == 0 {
                    *word |= bit;
                    self.all.push(bucket);
                }
            });
        }
        &self.all
    }

    /// What the weights of these n-grams come to, those of a bucket counted once, and how many buckets there are: without a
    /// list of them.
    pub(super) fn weighed<'a>(
        &mut self,
        fields: impl IntoIterator<Item = &'a str>,
        weigh: impl Fn(u64) -> i8,
    ) -> (i32, usize) {
        self.forget();
        let (mut sum, mut count) = (0, 0);
        for field in fields {
            each(field, |hash, _| {
                let bucket = bucket(hash);
                let word = &mut self.there[bucket as usize / 64];
                // 1, if it is there for the first time.
                let first = !(*word >> (bucket % 64)) & 1;
                *word |= 1 << (bucket % 64);
                sum += i32::from(weigh(hash)) * first as i32;
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
        assert_eq!(buckets.weighed(["one", "text"], |hash| weights[bucket(hash) as usize]), (sum, first.len()));
        assert_eq!(buckets.weighed(["one", "text"], |hash| weights[bucket(hash) as usize]), (sum, first.len()));
        assert_eq!(buckets.of(["one", "text"]), first);
    }
}
