//! Numbers of which each digit is written alone, so that no program takes them for one: `1 3 8 0`, `一三八零`, `one three
//! eight`.

use std::ops::Range;

/// What may stand between digits that are written alone, and how much of it.
const SPELLED_BETWEEN: &str = " -.*_~·/";
const SPELLED_BETWEEN_MAX: usize = 3;

/// The first number of at least so many digits of which each is written alone. Counting (1 2 3 4), and what has two
/// kinds of digits only (1 0 0 1), is none.
pub(super) fn spelled(text: &str, at_least: usize) -> Option<Range<usize>> {
    let (mut number, mut span, mut between): (Vec<u8>, _, _) = (Vec::new(), 0..0, 0);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some((length, digit)) = alone(text, at, c) {
            if number.is_empty() {
                span.start = at;
            }
            number.push(digit);
            at += length;
            (span.end, between) = (at, 0);
            continue;
        }
        if !number.is_empty() {
            between += 1;
            if between > SPELLED_BETWEEN_MAX || !SPELLED_BETWEEN.contains(c) {
                if is_a_number(&number, at_least) {
                    return Some(span);
                }
                number.clear();
                between = 0;
            }
        }
        at += c.len_utf8();
    }
    is_a_number(&number, at_least).then_some(span)
}

/// The digit that begins here, with its length in bytes, if no letter and no other digit of ASCII touches it. Words are
/// digits too; 幺 and 两 are how people say them in numbers.
fn alone(text: &str, at: usize, c: char) -> Option<(usize, u8)> {
    let touched = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
    let (length, digit) = match c {
        '零' | '〇' => return Some((c.len_utf8(), 0)),
        '一' | '幺' => return Some((c.len_utf8(), 1)),
        '二' | '两' => return Some((c.len_utf8(), 2)),
        '三' => return Some((c.len_utf8(), 3)),
        '四' => return Some((c.len_utf8(), 4)),
        '五' => return Some((c.len_utf8(), 5)),
        '六' => return Some((c.len_utf8(), 6)),
        '七' => return Some((c.len_utf8(), 7)),
        '八' => return Some((c.len_utf8(), 8)),
        '九' => return Some((c.len_utf8(), 9)),
        _ if !matches!(c, '0'..='9' | 'e' | 'f' | 'n' | 'o' | 's' | 't' | 'z') => return None,
        _ if at.checked_sub(1).is_some_and(touched) => return None,
        '0'..='9' => (1, c as u8 - b'0'),
        _ => {
            let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
            let nth = words.iter().position(|word| text[at..].starts_with(word))?;
            (words[nth].len(), nth as u8)
        }
    };
    (!touched(at + length)).then_some((length, digit))
}

/// Whether these digits are long and mixed enough to be the number of somebody.
fn is_a_number(digits: &[u8], at_least: usize) -> bool {
    let kinds = digits.iter().fold(0u16, |kinds, digit| kinds | 1 << digit).count_ones();
    let counts = digits.windows(2).filter(|two| two[0].abs_diff(two[1]) == 1).count();
    digits.len() >= at_least && kinds > 2 && counts + 2 < digits.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_which_each_digit_stands_alone_is_told_from_counting() {
        let spelled = |text: &'static str| spelled(text, 7).map(|span| &text[span]);
        assert_eq!(spelled("加 6 6 0 1 1 2 2 3 吧"), Some("6 6 0 1 1 2 2 3"));
        assert_eq!(spelled("幺三九零零八零一一二二"), Some("幺三九零零八零一一二二"));
        assert_eq!(spelled("one three eight, no: one-three-eight-two 5 5 zero"), Some("one-three-eight-two 5 5 zero"));
        assert_eq!(spelled("1三8零5 5 0 9"), Some("1三8零5 5 0 9"));
        for ordinary in [
            "1 2 3 4 5 6 7 8 9",
            "1 0 0 1 0 0 1 0",
            "13800138000",
            "2026-11-28 12",
            "someone tone bone",
            "一二三四五六七",
        ] {
            assert_eq!(spelled(ordinary), None, "{ordinary}");
        }
    }
}
