//! Texts of which it is known whether they should be flagged.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::folded;
use crate::{Unfit, fields, fingerprint};

/// The fewest texts of each class.
const CLASS_MIN: usize = 20;

/// A text to learn from.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// Title and content as they are compared.
    folded: [String; 2],
    /// Whether it should be flagged.
    pub(super) flag: bool,
    /// The same for the same text, read without disguises.
    pub(super) fingerprint: [u8; 16],
}

impl Lesson {
    /// A text that should be flagged, or should not.
    #[must_use]
    pub fn new(title: &str, content: &str, flag: bool) -> Self {
        let folded = fields(title, content).map(|(_, text, limit)| folded(&text[..text.floor_char_boundary(limit)]));
        Self { folded, flag, fingerprint: fingerprint(title, content) }
    }

    /// Its fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.folded.iter().map(String::as_str)
    }
}

/// Texts to learn from, each once: a campaign of a thousand copies is one text.
#[derive(Debug, Default)]
pub struct Lessons {
    /// By fingerprint, so that it makes no difference in which order they came.
    all: BTreeMap<[u8; 16], Lesson>,
    /// Those that are in both classes.
    both: BTreeSet<[u8; 16]>,
    copies: usize,
}

impl Lessons {
    /// Adds one, if there is no copy of it yet.
    pub fn add(&mut self, lesson: Lesson) {
        let first = self.all.entry(lesson.fingerprint).or_insert_with(|| lesson.clone());
        if first.flag != lesson.flag {
            self.both.insert(lesson.fingerprint);
        }
        self.copies += 1;
    }

    /// How many were added that say the same as another one.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.copies - self.all.len()
    }

    /// How many texts are to be flagged, and how many are clean.
    #[must_use]
    pub fn classes(&self) -> (usize, usize) {
        let flagged = self.all.values().filter(|lesson| lesson.flag).count();
        (flagged, self.all.len() - flagged)
    }

    /// Leaves out the texts that are in both classes. How many there were.
    pub fn drop_contradictions(&mut self) -> usize {
        self.all.retain(|text, _| !self.both.contains(text));
        std::mem::take(&mut self.both).len()
    }

    /// All of them, in an order that depends on nothing but the texts.
    ///
    /// # Errors
    /// [`Unfit`], when they are too few or contradict one another.
    pub(super) fn checked(&self) -> Result<Vec<&Lesson>, Unfit> {
        if !self.both.is_empty() {
            return Err(Unfit::Both(self.both.len()));
        }
        let (flagged, clean) = self.classes();
        if flagged < CLASS_MIN || clean < CLASS_MIN {
            return Err(Unfit::TooFew { flagged, clean });
        }
        Ok(self.all.values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lessons(rows: &[(&str, bool, usize)]) -> Lessons {
        let mut lessons = Lessons::default();
        for (text, flag, times) in rows {
            (0..*times).for_each(|nth| lessons.add(Lesson::new("", &format!("{text} {nth}"), *flag)));
        }
        lessons
    }

    #[test]
    fn what_nothing_can_be_learnt_of_is_refused_with_its_numbers() {
        let checked = |rows| lessons(rows).checked().map(|all| all.len());
        assert_eq!(checked(&[("buy", true, 100)]), Err(Unfit::TooFew { flagged: 100, clean: 0 }));
        assert_eq!(checked(&[("buy", true, 5), ("hello", false, 5)]), Err(Unfit::TooFew { flagged: 5, clean: 5 }));
        assert_eq!(checked(&[("a", true, 30), ("a", false, 3), ("b", false, 30)]), Err(Unfit::Both(3)));
        assert_eq!(checked(&[("a", true, 20), ("b", false, 20)]), Ok(40));
    }

    #[test]
    fn copies_count_once_and_a_text_of_both_classes_can_be_left_out() {
        let mut lessons = lessons(&[("buy", true, 21), ("BUY", true, 21), ("hello", false, 20)]);
        assert_eq!((lessons.copies(), lessons.classes()), (21, (21, 20)));
        lessons.add(Lesson::new("", "buy 7", false));
        assert!(lessons.checked().is_err());
        assert_eq!(lessons.drop_contradictions(), 1);
        assert_eq!(lessons.checked().map(|all| all.len()), Ok(40));
    }
}
