//! A text cut where the rules found something, for marks.

use sluice_core::verdict::Reason;
use sluice_core::visible::is_hidden;

/// The most bytes that a text takes on a page, escaped, unless all of it is asked for.
const SHOWN_MAX_BYTES: usize = 56 * 1024;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    /// What stands there.
    pub(crate) text: String,
    /// The numbers, from 1, of the findings that cover it.
    pub(crate) found: Vec<usize>,
    /// Those of them that end with it: their numbers stand behind it.
    pub(crate) ends: Vec<usize>,
    /// What it was read as.
    pub(crate) read_as: String,
}

/// A text in passages, and how many bytes of it were left out. Findings are numbered as in `reasons`.
pub(crate) fn passages(text: &str, field: &str, reasons: &[Reason], whole: bool) -> (Vec<Passage>, usize) {
    let end = if whole { text.len() } else { shown_end(text) };
    let spans: Vec<(usize, [usize; 2], &Reason)> = reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| reason.field == field && text.get(reason.span[0]..reason.span[1]).is_some())
        .map(|(at, reason)| (at + 1, reason.span, reason))
        .filter(|(_, [from, to], _)| from < to && *from < end)
        .collect();
    let mut cuts: Vec<usize> = spans.iter().flat_map(|(_, span, _)| *span).map(|at| at.min(end)).collect();
    cuts.extend([0, end]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut found = Vec::with_capacity(cuts.len());
    for pair in cuts.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let here: Vec<_> = spans.iter().filter(|(_, span, _)| span[0] <= from && to <= span[1].min(end)).collect();
        let mut read_as: Vec<String> = here.iter().map(|(_, _, reason)| read_as_of(reason)).collect();
        read_as.dedup();
        found.push(Passage {
            text: text[from..to].to_owned(),
            found: here.iter().map(|(number, ..)| *number).collect(),
            ends: here.iter().filter(|(_, span, _)| span[1].min(end) == to).map(|(number, ..)| *number).collect(),
            read_as: read_as.join("; "),
        });
    }
    (found, text.len() - end)
}

/// Where a text ends that is not to take more than [`SHOWN_MAX_BYTES`]: markup takes five bytes a character, and the mark
/// of a hidden one up to ten.
fn shown_end(text: &str) -> usize {
    let mut room = SHOWN_MAX_BYTES;
    for (at, c) in text.char_indices() {
        let takes = match c {
            '<' | '>' | '&' | '"' | '\'' => 5,
            '\n' | '\t' => 1,
            c if is_hidden(c) => 10,
            c => c.len_utf8(),
        };
        match room.checked_sub(takes) {
            Some(left) => room = left,
            None => return at,
        }
    }
    text.len()
}

/// `abuse: "idiot" (full width ×3)`.
fn read_as_of(reason: &Reason) -> String {
    let matched = if reason.matched.is_empty() { &reason.rule } else { &reason.matched };
    let steps = if reason.steps.is_empty() { String::new() } else { format!(" ({})", reason.steps.join(", ")) };
    format!("{}: {matched}{steps}", reason.category)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(field: &str, span: [usize; 2], matched: &str) -> Reason {
        Reason {
            rule: "r".to_owned(),
            category: "spam".to_owned(),
            field: field.to_owned(),
            span,
            text: String::new(),
            matched: matched.to_owned(),
            steps: vec!["full width ×1".to_owned()],
        }
    }

    #[test]
    fn a_text_is_cut_at_its_findings_also_where_they_overlap() {
        let reasons =
            [reason("content", [2, 6], "one"), reason("content", [4, 8], "two"), reason("title", [0, 1], "x")];
        let (passages, cut) = passages("ab王dfgh王", "content", &reasons[..1], false);
        assert_eq!((passages.len(), cut, passages[1].text.as_str()), (3, 0, "王d"));
        let (passages, _) = super::passages("abcdefgh", "content", &reasons, false);
        let shown: Vec<_> = passages.iter().map(|one| (one.text.as_str(), one.found.len(), one.ends.len())).collect();
        assert_eq!(shown, [("ab", 0, 0), ("cd", 1, 0), ("ef", 2, 1), ("gh", 1, 1)]);
        assert_eq!(passages[2].read_as, "spam: one (full width ×1); spam: two (full width ×1)");
    }

    #[test]
    fn a_span_that_fits_no_text_marks_nothing_and_a_long_text_is_cut() {
        for span in [[1, 2], [0, 99], [2, 1], [3, 3]] {
            assert_eq!(passages("王b", "title", &[reason("title", span, "x")], false).0.len(), 1, "{span:?}");
        }
        let long = "王".repeat(SHOWN_MAX_BYTES);
        let (shown, cut) = passages(&long, "content", &[], false);
        assert_eq!((shown[0].text.len() + cut, shown[0].text.len() <= SHOWN_MAX_BYTES), (long.len(), true));
        let hostile = "<\u{202e}".repeat(SHOWN_MAX_BYTES);
        assert!(passages(&hostile, "content", &[], false).0[0].text.len() < SHOWN_MAX_BYTES / 3);
        assert_eq!(passages(&long, "content", &[], true).1, 0);
        assert_eq!(passages("", "title", &[], false).0.len(), 0);
    }
}
