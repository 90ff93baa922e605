//! The last reviewed posts, in memory: new rules are tried on them before they come into force. Limited in number and
//! bytes; the oldest are removed first.

use std::collections::VecDeque;
use std::sync::Arc;

/// The most posts that are remembered.
const POSTS_MAX: usize = 500;
/// The most bytes of text: some hundred posts of the greatest length.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a post says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) content: String,
}

impl Text {
    fn bytes(&self) -> usize {
        self.title.len() + self.content.len()
    }
}

/// The posts, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    texts: VecDeque<Arc<Text>>,
    bytes: usize,
}

impl Recent {
    /// Remembers a post, and forgets the oldest ones beyond the limits.
    pub(super) fn push(&mut self, title: &str, content: &str) {
        let text = Text { title: title.to_owned(), content: content.to_owned() };
        self.bytes += text.bytes();
        self.texts.push_back(Arc::new(text));
        while self.texts.len() > POSTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.texts.pop_front() else { return };
            self.bytes -= oldest.bytes();
        }
    }

    /// All of them. They are shared, not copied.
    pub(super) fn texts(&self) -> Vec<Arc<Text>> {
        self.texts.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut recent = Recent::default();
        (0..=POSTS_MAX).for_each(|number| recent.push(&number.to_string(), ""));
        let texts = recent.texts();
        assert_eq!((texts.len(), texts[0].title.as_str()), (POSTS_MAX, "1"));
        assert_eq!(texts[POSTS_MAX - 1].title, POSTS_MAX.to_string());
    }

    proptest! {
        #[test]
        fn they_are_never_more_or_longer_than_there_is_room_for(lengths in proptest::collection::vec(0usize..2_000_000, 1..20)) {
            let mut recent = Recent::default();
            for length in lengths {
                recent.push("t", &"x".repeat(length));
                let bytes: usize = recent.texts().iter().map(|text| text.bytes()).sum();
                prop_assert!(bytes <= BYTES_MAX && bytes == recent.bytes);
                prop_assert_eq!(recent.texts().last().map(|text| text.content.len()), Some(length), "the last one is there");
            }
        }
    }
}
