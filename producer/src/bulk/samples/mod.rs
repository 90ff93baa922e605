//! Made-up posts that read like a small town's forum: mostly ordinary, some spam, some abuse, in English and Chinese.
//!
//! A post is a subject and a few sentences about it with the blanks filled in. The same seed gives the same texts.

mod chinese;
mod english;
mod tongue;

use fastrand::Rng;

use chinese::CHINESE;
use english::ENGLISH;
use tongue::pick;

/// Of a hundred posts so many are spam, and as many more abuse.
const SPAM: u32 = 10;
const ABUSE: u32 = 8;
/// Of a hundred posts so many have no author.
const ANONYMOUS: u32 = 15;

/// A made-up post, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// The author's name, if there is one.
    pub author: Option<String>,
}

/// An endless supply of posts.
#[derive(Debug, Clone)]
pub struct Samples(Rng);

impl Samples {
    /// With a random seed.
    #[must_use]
    pub fn new() -> Self {
        Self(Rng::new())
    }

    /// With this seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// The next post.
    pub fn draw(&mut self) -> Sample {
        let rng = &mut self.0;
        let tongue = if rng.bool() { &ENGLISH } else { &CHINESE };
        let author = (rng.u32(..100) >= ANONYMOUS).then(|| pick(rng, tongue.authors).to_owned());
        let (title, content) = match rng.u32(..100) {
            drawn if drawn < SPAM => tongue.written(rng, tongue.spam, 0),
            drawn if drawn < SPAM + ABUSE => tongue.written(rng, tongue.abuse, 0),
            _ => {
                let sentences = rng.usize(1..=4);
                tongue.written(rng, tongue.ordinary, sentences)
            }
        };
        Sample { title, content, author }
    }
}

impl Default for Samples {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, TITLE_MAX_CHARS};

    fn some(seed: u64) -> Vec<Sample> {
        let mut samples = Samples::from_seed(seed);
        (0..2000).map(|_| samples.draw()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_posts() {
        assert_eq!(some(7), some(7));
        assert_ne!(some(7), some(8));
    }

    #[test]
    fn every_post_is_within_the_limits_and_has_no_blank_left() {
        for Sample { title, content, author } in some(1) {
            assert!((1..=TITLE_MAX_CHARS).contains(&title.chars().count()), "{title}");
            assert!((1..=CONTENT_MAX_CHARS).contains(&content.chars().count()), "{content}");
            assert!(author.is_none_or(|author| (1..=AUTHOR_MAX_CHARS).contains(&author.chars().count())));
            assert!(!title.contains('{') && !content.contains('{'), "{title}: {content}");
        }
    }

    #[test]
    fn both_languages_and_all_kinds_turn_up() {
        let texts: Vec<_> = some(3).into_iter().map(|sample| sample.content).collect();
        let share = |word: &str| texts.iter().filter(|text| text.contains(word)).count();
        for word in ["BTC", "加微信", "idiot", "智障", "图书馆", "library"] {
            let found = share(word);
            assert!(found > 0, "{word}");
        }
        assert!(texts.iter().filter(|text| text.is_ascii()).count() > 500);
        assert!(texts.iter().filter(|text| !text.is_ascii()).count() > 500);
    }
}
