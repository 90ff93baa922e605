//! Texts that only a browser would show as what they are: HTML entities, percent-encoding, and writing turned round by
//! a direction mark.
//!
//! Each is undone once, never again on what came out of it: `&amp;lt;` is the text `&lt;`, and nested encodings cost no
//! more than plain ones. A text without any of them is not decoded at all.

use std::ops::Range;

/// The longest entity, in bytes, with `&` and `;`.
const ENTITY_MAX: usize = 12;
const TURNED: char = '\u{202E}';
const TURNED_BACK: char = '\u{202C}';

/// A decoded text, with the way back.
pub(super) struct Decoded {
    pub(super) text: String,
    /// For each byte of `text`, the stretch of the original that it came from.
    origins: Vec<Range<u32>>,
}

impl Decoded {
    /// `None`: there is nothing to decode.
    pub(super) fn new(original: &str) -> Option<Self> {
        // Most signs encode nothing. One by one each is looked for many bytes at a time.
        let encoded = |sign: char, decoded: fn(&str) -> Option<(char, usize)>| {
            original.match_indices(sign).any(|(at, _)| decoded(&original[at..]).is_some())
        };
        if !original.contains(TURNED) && !encoded('&', entity) && !encoded('%', percent) {
            return None;
        }
        let mut pieces: Vec<(char, Range<u32>)> = Vec::new();
        let mut at = 0;
        let mut turned_from = None;
        let mut changed = false;
        while let Some(c) = original[at..].chars().next() {
            let (decoded, length) =
                entity(&original[at..]).or_else(|| percent(&original[at..])).unwrap_or((c, c.len_utf8()));
            changed |= length != c.len_utf8();
            match c {
                TURNED => turned_from = Some(pieces.len()),
                TURNED_BACK | '\n' => changed |= turn(&mut pieces, turned_from.take()),
                _ => {}
            }
            pieces.push((decoded, at as u32..(at + length) as u32));
            at += length;
        }
        changed |= turn(&mut pieces, turned_from);
        changed.then(|| Self::collect(pieces))
    }

    fn collect(pieces: Vec<(char, Range<u32>)>) -> Self {
        let mut decoded = Self { text: String::new(), origins: Vec::new() };
        for (c, origin) in pieces {
            decoded.text.push(c);
            decoded.origins.resize(decoded.text.len(), origin);
        }
        decoded
    }

    /// Where in the original a stretch of the decoded text comes from.
    pub(super) fn origin(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let origins = self.origins.get(span.clone())?;
        let start = origins.iter().map(|origin| origin.start).min()?;
        let end = origins.iter().map(|origin| origin.end).max()?;
        Some(start as usize..end as usize)
    }
}

fn turn(pieces: &mut [(char, Range<u32>)], from: Option<usize>) -> bool {
    let turned = from.and_then(|from| pieces.get_mut(from..));
    turned.is_some_and(|turned| {
        turned.reverse();
        turned.len() > 1
    })
}

/// An entity at the beginning of a text: its character, its length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(ENTITY_MAX).position(|byte| byte == b';')?;
    let name = &name[..end];
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let c = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => number(hexadecimal, 16)?,
            None => number(digits, 10)?,
        },
        None => match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "shy" | "zwnj" | "zwj" => '\u{00AD}',
            _ => return None,
        },
    };
    Some((c, end + 2))
}

/// A percent-encoded character at the beginning of a text: the character, its length in bytes.
fn percent(text: &str) -> Option<(char, usize)> {
    let byte = |nth: usize| {
        let hexadecimal = text.get(3 * nth..3 * nth + 3)?.strip_prefix('%')?;
        hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(hexadecimal, 16).ok())?
    };
    let first = byte(0)?;
    let length = match first {
        0x20..=0x7E => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = (0..length).map_while(byte).collect();
    let c = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((c, 3 * length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<String> {
        Decoded::new(text).map(|decoded| decoded.text)
    }

    #[test]
    fn encodings_are_undone_once() {
        assert_eq!(decoded("f&#117;&#x63;k").as_deref(), Some("fuck"));
        assert_eq!(decoded("%66%75ck %E8%B5%8C").as_deref(), Some("fuck 赌"));
        assert_eq!(decoded("&amp;lt;").as_deref(), Some("&lt;"));
        assert_eq!(decoded("\u{202E}kcuf\u{202C} you").as_deref(), Some("fuck\u{202E}\u{202C} you"));
        for plain in ["100% of AT&T; 5 %", "&#x110000; %zz %E8", "plain", "%", "&", "\u{202E}"] {
            assert_eq!(decoded(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_decoded_stretch_leads_back() {
        let original = "a f&#117;ck";
        let decoded = Decoded::new(original).expect("there is an entity");
        let span = decoded.origin(&(2..6)).expect("it is within the text");
        assert_eq!(&original[span], "f&#117;ck");
    }
}
