//! What each character becomes when it is folded, worked out once.
//!
//! ```text
//!  Ⓕ  ─ compatible form ─ case ─ accents, invisible ─ look-alike ─ simplified ─►  f
//!  з  ────────────────────────────────────────────── (none: not ASCII) ────────►  з
//!  賭 ─────────────────────────────────────────────────────────── simplified ──►  赌
//! ```
//!
//! One look into a table for each character of a post is what makes five ways of folding as cheap as one.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::char::decompose_compatible;

/// The most characters that one character may become. A few signs are whole phrases (U+FDFA is eighteen letters): taken
/// apart, a text of them would cost as many times its length. They stay as they are.
const PARTS_MAX: usize = 4;
/// Characters below this one are looked up, those above it are ideographs and marks that need no table.
const TABLE_END: usize = 0x2_0000;
/// A character that becomes something other than one character: the rest of the entry is its place in the list.
const SEVERAL: u32 = 1 << 31;
/// A letter or digit of any script. The standard library looks for some of them for a third of a microsecond.
const ALPHANUMERIC: u32 = 1 << 30;

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
/// Traditional characters and their simplified ones.
static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let lines = include_str!("../rules/zh/simplified.txt").lines();
    let pair = |line: &str| {
        let (traditional, simplified) = line.split_once(' ')?;
        Some((one(traditional)?, one(simplified)?))
    };
    lines.filter(|line| !line.starts_with('#')).filter_map(pair).collect()
});

fn one(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

struct Table {
    entries: Vec<u32>,
    several: Vec<Box<[char]>>,
}

impl Table {
    fn new() -> Self {
        let mut table = Self { entries: vec![0; TABLE_END], several: Vec::new() };
        for c in ('\0'..=char::MAX).take_while(|c| (*c as usize) < TABLE_END) {
            let parts = worked_out(c);
            let becomes = match parts[..] {
                [part] => part as u32,
                _ => {
                    table.several.push(parts.into());
                    SEVERAL | (table.several.len() - 1) as u32
                }
            };
            table.entries[c as usize] = becomes | if c.is_alphanumeric() { ALPHANUMERIC } else { 0 };
        }
        table
    }
}

/// Hands on what one character becomes: nothing, one, or several.
pub(super) fn fold(c: char, mut emit: impl FnMut(char)) {
    match TABLE.entries.get(c as usize) {
        Some(&entry) if entry & SEVERAL != 0 => {
            TABLE.several[(entry & !(SEVERAL | ALPHANUMERIC)) as usize].iter().for_each(|part| emit(*part));
        }
        Some(&entry) => emit(char::from_u32(entry & !ALPHANUMERIC).unwrap_or(c)),
        None => worked_out(c).into_iter().for_each(emit),
    }
}

/// Whether a character is left as it is, so that terms and patterns may hold it.
pub(super) fn is_folded(c: char) -> bool {
    TABLE.entries.get(c as usize).map_or_else(|| worked_out(c) == [c], |entry| *entry & !ALPHANUMERIC == c as u32)
}

/// Whether a character is a letter or digit of any script.
pub(super) fn is_alphanumeric(c: char) -> bool {
    TABLE.entries.get(c as usize).map_or_else(|| c.is_alphanumeric(), |entry| entry & ALPHANUMERIC != 0)
}

fn worked_out(c: char) -> Vec<char> {
    let mut parts = Vec::new();
    decompose_compatible(squared(c), |part| {
        for lower in part.to_lowercase() {
            match plain(lower) {
                space if space.is_whitespace() => parts.push(' '),
                unseen if unseen.is_control() || is_unseen(unseen) => {}
                seen => parts.push(look_alike(seen).unwrap_or_else(|| simplified(seen))),
            }
        }
    });
    if parts.len() > PARTS_MAX { vec![c] } else { parts }
}

/// The simplified form of a traditional character; any other as it is.
pub(super) fn simplified(c: char) -> char {
    SIMPLIFIED.get(&c).copied().unwrap_or(c)
}

/// The letter in a filled circle or square and of a flag. NFKC knows only the empty ones.
fn squared(c: char) -> char {
    let letter = match c {
        '\u{1F150}'..='\u{1F169}' => c as u32 - 0x1F150,
        '\u{1F170}'..='\u{1F189}' => c as u32 - 0x1F170,
        '\u{1F1E6}'..='\u{1F1FF}' => c as u32 - 0x1F1E6,
        _ => return c,
    };
    char::from_u32(u32::from(b'a') + letter).unwrap_or(c)
}

/// The ASCII letter that a letter of another script is taken for, by UTS #39. Where only the capitals look alike (в is
/// no b, but В is a B), they count for both. Ideographs are left out: 丨 is no l, 〇 no o.
pub(super) fn look_alike(c: char) -> Option<char> {
    if c.is_ascii()
        || !c.is_alphabetic()
        || matches!(c, '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{FAFF}')
    {
        return None;
    }
    let small = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡ\u{0}ʏᴢ".chars().position(|small| small == c);
    let small = small.and_then(|nth| char::from_u32(u32::from(b'a') + nth as u32));
    small.or_else(|| skeleton(c)).or_else(|| c.to_uppercase().next().filter(|upper| *upper != c).and_then(skeleton))
}

fn skeleton(c: char) -> Option<char> {
    let mut buffer = [0; 4];
    let mut parts = unicode_security::skeleton(c.encode_utf8(&mut buffer)).filter(|part| !is_unseen(*part));
    let first = parts.next().filter(char::is_ascii_alphabetic)?;
    parts.next().is_none().then(|| first.to_ascii_lowercase())
}

/// The character on a keyboard for its typographic sisters. NFKC keeps these apart.
fn plain(c: char) -> char {
    match c {
        '‘' | '’' | '‛' | 'ʼ' => '\'',
        '“' | '”' | '‟' => '"',
        '‐'..='―' | '−' => '-',
        other => other,
    }
}

/// What takes no room of its own: zero-width and direction marks, soft hyphens, variation selectors, and the accents
/// that decomposing has split off. The vowel signs of Indic scripts are letters, and are not here.
pub(super) fn is_unseen(c: char) -> bool {
    is_invisible(c)
        || matches!(c,
            '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Whether a text has something in it that is not to be seen at all.
pub(super) fn has_invisible(text: &str) -> bool {
    // Neither ASCII nor what begins with these bytes, which is most of Chinese text, is ever invisible.
    let may_begin_one = |byte: u8| matches!(byte, 0xC2..=0xE3 | 0xEA..);
    let mut bytes = text.bytes().enumerate();
    bytes.any(|(at, byte)| may_begin_one(byte) && text[at..].chars().next().is_some_and(is_invisible))
}

/// What is not to be seen at all.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_says_of_each_character_is_what_the_standard_library_and_the_list_say() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_alphanumeric(c), c.is_alphanumeric(), "U+{:04X}", c as u32);
            assert_eq!(has_invisible(&format!("a赌{c}")), is_invisible(c), "U+{:04X}", c as u32);
        }
    }
}
