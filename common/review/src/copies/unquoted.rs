//! What of a text is its author's own: ten people who quote one post and add a word have not written ten copies.

/// The marks of a quotation, in any case: where it begins, and where it ends.
const MARKS: [(&str, &str); 2] = [("[quote", "[/quote"), ("<blockquote", "</blockquote")];

/// The stretches of a text outside of quotations: `[quote]…[/quote]`, `<blockquote>…</blockquote>`, nested too, and
/// lines that begin with `>`. A quotation that never ends is none, or a single mark would hide what follows.
pub(super) fn unquoted(text: &str) -> Vec<&str> {
    let mut own = Vec::new();
    // How many quotations are open, and where the first of them began.
    let (mut depth, mut opened, mut from) = (0_u32, 0, 0);
    for (at, sign) in text.match_indices(['[', '<', '>']) {
        let rest = &text.as_bytes()[at..];
        let begins = |mark: &str| rest.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark.as_bytes()));
        if sign == ">" {
            if depth == 0 && at >= from && begins_line(text, at) {
                own.push(&text[from..at]);
                from = at + text[at..].find('\n').unwrap_or(text.len() - at);
            }
        } else if MARKS.iter().any(|(begin, _)| begins(begin)) {
            if depth == 0 {
                opened = at.max(from);
                own.push(&text[from..opened]);
            }
            depth += 1;
        } else if depth > 0 && MARKS.iter().any(|(_, end)| begins(end)) {
            depth -= 1;
            from = at + text[at..].find([']', '>']).map_or(0, |end| end + 1);
        }
    }
    own.push(&text[if depth > 0 { opened } else { from }..]);
    own
}

/// Whether nothing but blanks stands before this place in its line.
fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].bytes().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
    before.is_none_or(|byte| byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(text: &str) -> String {
        unquoted(text).concat()
    }

    #[test]
    fn quotations_are_left_out_however_they_are_marked() {
        assert_eq!(own("a\n> b\n  >> c\nd > e"), "a\n\n  \nd > e");
        assert_eq!(own("[QUOTE=bob]b[quote]c[/quote]d[/quote] own"), " own");
        assert_eq!(own("own <BlockQuote cite='x'>b</blockquote>, own"), "own , own");
        assert_eq!(own("a [b] <i>c</i> [/quote] d"), "a [b] <i>c</i> [/quote] d");
        assert_eq!(own("> b [quote]\nown"), "\nown");
    }

    #[test]
    fn a_quotation_that_never_ends_hides_nothing() {
        assert_eq!(own("[quote]buy now"), "[quote]buy now");
        assert_eq!(own("[quote]a[/quote][quote][quote]b[/quote]\n> c"), "[quote][quote]b[/quote]\n> c");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_and_without_marks_all_of_it_stays(text in "(?is)(\\[/?quote\\]|</?blockquote>|\n> ?|[^\\[<>]|.){0,40}") {
            let kept = own(&text);
            prop_assert!(kept.len() <= text.len());
            if !text.contains(['[', '<', '>']) {
                prop_assert_eq!(kept, text);
            }
        }
    }
}
