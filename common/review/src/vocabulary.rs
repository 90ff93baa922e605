//! The words that a word with hidden letters may be.

/// The words of the Latin terms, the shorter ones first, those of one length in order.
pub(super) struct Vocabulary(Vec<Box<str>>);

impl Vocabulary {
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut words: Vec<Box<str>> = words.map(Into::into).collect();
        words.sort_unstable_by(|one, two| (one.len(), one).cmp(&(two.len(), two)));
        words.dedup();
        Self(words)
    }

    /// The first word, in order, that is this one; `None` is a hidden letter, and never the first. Trying each letter
    /// there would cost more than the few words that begin so: hyphens hide letters too, and ordinary text has many.
    pub(super) fn find(&self, masked: &[Option<u8>]) -> Option<&str> {
        let begins: Vec<u8> = masked.iter().map_while(|letter| *letter).collect();
        let from = self.0.partition_point(|word| (word.len(), word.as_bytes()) < (masked.len(), &begins[..]));
        let mut like =
            self.0[from..].iter().take_while(|word| word.len() == masked.len() && word.as_bytes().starts_with(&begins));
        let is = |word: &str| word.bytes().zip(masked).all(|(one, two)| two.is_none_or(|two| one == two));
        like.find(|word| is(word)).map(|word| &**word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_fits_is_found() {
        let words = Vocabulary::new(["shit", "shot", "fuck", "shits", "flock", "shot"].into_iter());
        let found = |masked: &str| {
            let masked: Vec<_> = masked.bytes().map(|byte| (byte != b'*').then_some(byte)).collect();
            words.find(&masked)
        };
        assert_eq!(
            ["sh*t", "s**t", "f*ck", "sh*ts", "fl**k"].map(found),
            ["shit", "shit", "fuck", "shits", "flock"].map(Some)
        );
        assert_eq!(["sh*p", "x*ck", "sh*tss", "6*ck"].map(found), [None; 4]);
    }
}
