//! A view of a text in which nothing stands between Chinese characters, and none is there again and again: 赌*博, 微 信,
//! 加 v 信 and 赌赌赌博博博 read as they are meant.

use std::ops::Range;

use super::fold::{has_word_edges, is_han};

/// How many characters in a row are taken for a separator. More of them part two texts.
const SEPARATOR_MAX: usize = 6;

/// The view.
pub(super) struct Han {
    pub(super) text: String,
    joins: Vec<Join>,
}

/// A place where something was taken out.
#[derive(Clone, Copy)]
struct Join {
    /// The byte of the view after it.
    at: usize,
    /// The byte of the folded text after it.
    from: usize,
    /// Whether what was taken out is what people write between words anyway: a comma, a blank.
    ordinary: bool,
    /// Whether it was the character before it once more.
    again: bool,
}

/// How a stretch of the view was put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Joined {
    /// How many separators were taken out.
    pub(super) separators: usize,
    /// How many runs of one character were cut to one.
    pub(super) repeats: usize,
    /// Whether a writer may well have meant two words: then it must be at the bounds of words.
    pub(super) doubtful: bool,
}

impl Han {
    /// `None`: nothing stands between Chinese characters.
    pub(super) fn new(folded: &str) -> Option<Self> {
        // Most texts without Chinese characters are told at once.
        if folded.is_ascii() {
            return None;
        }
        let mut view = Self { text: String::with_capacity(folded.len()), joins: Vec::new() };
        let mut last: Option<char> = None;
        let mut taken = 0;
        let mut runs = Runs::default();
        // Where the last letter or character ends; since then: how many others, and whether all are ordinary.
        let (mut end, mut between, mut ordinary) = (0, 0, true);
        for (at, c) in folded.char_indices() {
            // All of these are letters; asking the table of Unicode for each would be most of the work here.
            let letter = matches!(c, 'a'..='z' | '\u{4E00}'..='\u{9FFF}') || (!is_ordinary(c) && c.is_alphanumeric());
            if !letter {
                (between, ordinary) = (between + 1, ordinary && is_ordinary(c));
                continue;
            }
            let next = at + c.len_utf8();
            if between == 0 && runs.is_again(c, &folded[next..]) {
                view.text.push_str(&folded[taken..at]);
                view.leave_out(next, runs.ordinary());
                (taken, end) = (next, next);
                continue;
            }
            if between > 0 {
                runs = Runs { last: Some(c), ..Runs::default() };
                let joins = last.is_some_and(|last| is_han(last) || is_han(c));
                if joins && between <= SEPARATOR_MAX {
                    view.text.push_str(&folded[taken..end]);
                    view.joins.push(Join { at: view.text.len(), from: at, ordinary, again: false });
                    taken = at;
                }
                (between, ordinary) = (0, true);
            }
            (last, end) = (Some(c), next);
        }
        if view.joins.is_empty() {
            return None;
        }
        view.text.push_str(&folded[taken..]);
        Some(view)
    }

    /// Leaves out a character that is there again, up to this byte of the folded text.
    fn leave_out(&mut self, from: usize, ordinary: bool) {
        let at = self.text.len();
        match self.joins.last_mut().filter(|join| join.at == at && join.again) {
            Some(join) => join.from = from,
            None => self.joins.push(Join { at, from, ordinary, again: true }),
        }
    }

    /// Where in the folded text a stretch of the view comes from.
    pub(super) fn origin(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let back = |at: usize| {
            let before = self.joins[..self.joins.partition_point(|join| join.at <= at)].last();
            before.map_or(at, |join| join.from + (at - join.at))
        };
        let stretch = self.text.get(span.clone())?;
        (!stretch.is_empty()).then(|| back(span.start)..back(span.end - 1) + 1)
    }

    /// What was taken out inside a stretch; `None`: nothing, the folded text has it as well.
    pub(super) fn joined(&self, span: &Range<usize>) -> Option<Joined> {
        let from = self.joins.partition_point(|join| join.at <= span.start);
        let inside: &[Join] = &self.joins[from..];
        let inside = &inside[..inside.partition_point(|join| join.at < span.end)];
        let characters = self.text.get(span.clone())?.chars().count();
        let few = inside.len() == 1 || inside.len() + 2 < characters;
        let doubtful = few && inside.iter().all(|join| join.ordinary);
        let repeats = inside.iter().filter(|join| join.again).count();
        (!inside.is_empty()).then_some(Joined { separators: inside.len() - repeats, repeats, doubtful })
    }

    /// Whether a stretch begins and ends where Latin words do, if it does so with a Latin letter. What was taken out is
    /// an edge.
    pub(super) fn at_edges(&self, span: &Range<usize>) -> bool {
        let joined_at = |at: usize| self.joins.binary_search_by_key(&at, |join| join.at).is_ok();
        let free = |outside: Option<char>, inside: Option<char>, at: usize| {
            joined_at(at) || !(outside.is_some_and(has_word_edges) && inside.is_some_and(has_word_edges))
        };
        let inside = &self.text[span.clone()];
        free(self.text[..span.start].chars().next_back(), inside.chars().next(), span.start)
            && free(self.text[span.end..].chars().next(), inside.chars().next_back(), span.end)
    }
}

/// The runs of one Chinese character that are read as one: of three and more, and pairs beside such runs or other pairs.
/// One pair alone is how words are made (妈妈).
#[derive(Default)]
struct Runs {
    last: Option<char>,
    /// Whether this run is cut, and whether the one before it was.
    cut: bool,
    cut_before: bool,
    /// Whether it is more than a pair.
    long: bool,
}

impl Runs {
    /// Whether a letter is the one before it once more, and one too many. `rest` is what comes after it.
    fn is_again(&mut self, c: char, rest: &str) -> bool {
        if self.last != Some(c) || !is_han(c) {
            *self = Self { last: Some(c), cut: false, cut_before: self.cut, long: false };
            return false;
        }
        let mut next = rest.chars();
        let (one, two) = (next.next(), next.next());
        self.long |= one == Some(c);
        self.cut |= self.long || self.cut_before || (one == two && one.is_some_and(is_han));
        self.cut
    }

    /// Whether people write so: 开开心心.
    fn ordinary(&self) -> bool {
        !self.long
    }
}

fn is_ordinary(c: char) -> bool {
    matches!(
        c,
        ' ' | ','
            | '.'
            | ';'
            | ':'
            | '!'
            | '?'
            | '。'
            | '、'
            | '"'
            | '('
            | ')'
            | '《'
            | '》'
            | '「'
            | '」'
            | '【'
            | '】'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_chinese_characters_is_taken_out() {
        let text = |folded: &str| Han::new(folded).map(|view| view.text);
        assert_eq!(text("赌*博 x y"), Some("赌博x y".to_owned()));
        assert_eq!(text("加 v 信"), Some("加v信".to_owned()));
        assert_eq!(text("赌.......博"), None, "that is no separator any more");
        assert_eq!(text("no space taken"), None);
    }

    #[test]
    fn a_stretch_leads_back_and_tells_what_was_in_it() {
        let folded = "去 赌*-博 吧";
        let view = Han::new(folded).expect("there are separators");
        let start = view.text.find("赌博").expect("it reads as one");
        let span = start..start + "赌博".len();
        assert_eq!(view.origin(&span).map(|span| &folded[span]), Some("赌*-博"));
        assert_eq!(view.joined(&span), Some(Joined { separators: 1, repeats: 0, doubtful: false }));
    }

    #[test]
    fn characters_that_come_again_and_again_are_read_once() {
        let text = |folded: &str| Han::new(folded).map(|view| view.text);
        assert_eq!(text("赌赌赌博博博网"), Some("赌博网".to_owned()));
        assert_eq!(text("赌赌博博"), Some("赌博".to_owned()));
        assert_eq!(text("他妈妈的饭"), None);
        let folded = "来赌赌赌赌*博博博吧";
        let view = Han::new(folded).expect("there are runs");
        let start = view.text.find("赌博").expect("it reads as one");
        let span = start..start + "赌博".len();
        assert_eq!(view.origin(&span).map(|span| &folded[span]), Some("赌赌赌赌*博"));
        assert_eq!(view.joined(&span), Some(Joined { separators: 1, repeats: 1, doubtful: false }));
    }
}
