//! Numbers of which each digit is written alone, so that no program takes them for one: `1 3 8 0`, `一三八零`, `one three
//! eight`.

use std::ops::Range;

/// What may stand between digits that are written alone, and how much of it.
const SPELLED_BETWEEN: &str = " -.*_~·/";
const SPELLED_BETWEEN_MAX: usize = 3;
/// The longest word of a digit, in bytes.
const LONGEST_WORD: usize = 5;

/// The first number of at least so many digits of which each is written alone. Counting (1 2 3 4), and what has two
/// kinds of digits only (1 0 0 1), is none.
pub(super) fn spelled(text: &str, at_least: usize) -> Option<Range<usize>> {
    let (mut number, mut span, mut between): (Vec<u8>, _, _) = (Vec::new(), 0..0, 0);
    let mut at = 0;
    loop {
        if number.is_empty() {
            at = next_alone(text, at);
        }
        let Some(c) = text[at..].chars().next() else { break };
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

/// By byte: how the first two bytes of a digit that is written alone may be. Most of a text is skipped by this.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let ascii = b"0123456789efnostz";
    let mut at = 0;
    while at < ascii.len() {
        bytes[ascii[at] as usize] |= FIRST;
        at += 1;
    }
    let han = "零〇一二三四五六七八九幺两".as_bytes();
    at = 0;
    while at < han.len() {
        bytes[han[at] as usize] |= FIRST;
        bytes[han[at + 1] as usize] |= SECOND;
        at += 3;
    }
    bytes
};

/// The first place from `at` on where a digit may be written alone, or the end.
fn next_alone(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let is_alone = |nth: usize, byte: u8| match byte.is_ascii() {
        true => !nth.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric()),
        false => bytes.get(nth + 1).is_some_and(|second| BYTES[usize::from(*second)] & SECOND != 0),
    };
    let mut rest = bytes[at..].iter().zip(at..);
    let found = rest.find(|(byte, nth)| BYTES[usize::from(**byte)] & FIRST != 0 && is_alone(*nth, **byte));
    found.map_or(bytes.len(), |(_, nth)| nth)
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
        _ if at.checked_sub(1).is_some_and(touched) => return None,
        '0'..='9' => (1, c as u8 - b'0'),
        'a'..='z' => {
            let word = &text.as_bytes()[at..];
            let length = word.iter().take(LONGEST_WORD + 1).take_while(|byte| byte.is_ascii_lowercase()).count();
            let words: [&[u8]; 10] =
                [b"zero", b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight", b"nine"];
            let nth = words.iter().position(|digit| *digit == &word[..length])?;
            (length, nth as u8)
        }
        _ => return None,
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn no_digit_that_is_written_alone_is_skipped(text in "[a0-9 一九零〇幺两的é-]{0,8}(?:one|nine|two|zero)?[ a1]{0,2}") {
            for (at, c) in text.char_indices() {
                prop_assert!(alone(&text, at, c).is_none() || next_alone(&text, at) == at, "{} at {}", text, at);
            }
        }
    }
}
