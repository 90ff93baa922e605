//! A view of a text in which nothing stands between Chinese characters, and none is there again and again: 赌*博, 微 信,
//! 加 v 信 and 赌赌赌博博博 read as they are meant.

use std::ops::Range;

use super::fold::{has_word_edges, is_han};
use super::runs::Runs;
use super::table::is_alphanumeric;

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
        let mut next = 0;
        while let Some(c) = folded[next..].chars().next() {
            let at = next;
            next += c.len_utf8();
            let letter = matches!(c, 'a'..='z' | '\u{4E00}'..='\u{9FFF}') || is_alphanumeric(c);
            if !letter {
                (between, ordinary) = (between + 1, ordinary && is_ordinary(c));
                continue;
            }
            if between == 0 && runs.is_again(c, &folded[next..]) {
                view.text.push_str(&folded[taken..at]);
                view.leave_out(next, runs.ordinary());
                (taken, end) = (next, next);
                continue;
            }
            if between > 0 {
                runs = Runs::of(Some(c));
                let joins = last.is_some_and(|last| is_han(last) || is_han(c));
                if joins && between <= SEPARATOR_MAX {
                    view.text.push_str(&folded[taken..end]);
                    view.joins.push(Join { at: view.text.len(), from: at, ordinary, again: false });
                    taken = at;
                }
                (between, ordinary) = (0, true);
            }
            (last, end) = (Some(c), next);
            if c.is_ascii() {
                // Between characters of ASCII nothing is taken out: only what stands behind the last letter counts.
                let ascii = folded.as_bytes()[next..].iter().take_while(|byte| byte.is_ascii()).count();
                let stretch = &folded[next..next + ascii];
                if let Some(letter) = stretch.rfind(|c: char| c.is_ascii_alphanumeric()) {
                    end = next + letter + 1;
                    last = stretch[letter..].chars().next();
                    runs = Runs::of(last);
                }
                next += ascii;
                between = next - end;
                ordinary = folded[end..next].chars().all(is_ordinary);
            }
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

    /// The stretches of the view in which a text of up to so many bytes may have something taken out of it.
    pub(super) fn around_joins(&self, longest: usize) -> impl Iterator<Item = Range<usize>> {
        let reach = longest.saturating_sub(1);
        let mut joins = self.joins.iter().peekable();
        std::iter::from_fn(move || {
            let first = joins.next()?.at;
            let mut end = first + reach;
            while let Some(next) = joins.next_if(|next| next.at <= end + reach) {
                end = next.at + reach;
            }
            Some(first.saturating_sub(reach)..end.min(self.text.len()))
        })
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn whatever_has_something_taken_out_is_looked_at_once(
            text in "[赌博加微信ab1 ,.*-]{0,60}", longest in 1usize..20,
        ) {
            let Some(view) = Han::new(&text) else { return Ok(()) };
            let stretches: Vec<_> = view.around_joins(longest).collect();
            prop_assert!(stretches.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", stretches);
            let starts = view.text.char_indices().map(|(start, _)| start);
            for span in starts.flat_map(|start| (start + 1..=view.text.len().min(start + longest)).map(move |end| start..end)) {
                if view.joined(&span).is_some() {
                    let whole = stretches.iter().any(|stretch| stretch.start <= span.start && span.end <= stretch.end);
                    prop_assert!(whole, "{:?} of {:?}", span, stretches);
                }
            }
        }

        #[test]
        fn latin_words_are_skipped_as_if_each_letter_were_read(text in "[赌博a1 ,.*-]{0,30}") {
            // As long, but of letters of which each is looked at.
            let slow = Han::new(&text.replace('a', "é").replace('1', "è"));
            let back = |view: Han| view.text.replace('é', "a").replace('è', "1");
            prop_assert_eq!(Han::new(&text).map(|view| view.text), slow.map(back));
        }
    }
}
