//! Where Chinese words begin and end around a hit.
//!
//! ```text
//!  这 件 事 是 大 麻 烦 啊          the term 大麻 stands there, but
//!             │大│麻 烦│          this reading is far likelier than
//!             │大 麻│烦│          this one: no hit
//! ```
//!
//! Chinese is written without spaces, so a term's characters also meet where two other words do. What is asked here is
//! small: of all ways to read the few characters around a hit, does the likeliest one cut through the hit's edge? It
//! is the same dynamic programming by which jieba cuts a sentence, over jieba's dictionary, but with the hit itself as
//! one more word, and only where there is a hit.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::LazyLock;

use super::fold::is_han;

/// How far around a hit is looked, in characters. Words are of at most four.
const WINDOW: usize = 8;
/// The longest word of the dictionary, in characters.
const WORD_MAX: usize = 4;
/// A hit longer than this, in characters, is no accident of two words that meet.
const HIT_MAX: usize = 8;
/// How often a term that the dictionary lacks is taken to occur: as a rare word does.
const TERM_COUNT: f32 = 10.0;
/// All counts of the dictionary.
const TOTAL: f32 = 60_101_964.0;

/// Spreads the words of our own dictionary. Nobody else chooses its keys, so nothing need be guarded against.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        // The golden ratio's multiplier; folded, for the table looks at both ends of a hash.
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static WORDS: LazyLock<HashMap<u64, f32, BuildHasherDefault<Spread>>> = LazyLock::new(|| {
    let files = [include_str!("../rules/zh/words.txt"), include_str!("../rules/zh/newer.txt")];
    let lines = files.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#'));
    let word = |line: &str| {
        let (word, count) = line.split_once(' ')?;
        Some((key(word.chars())?, count.parse::<f32>().ok()?))
    };
    lines.filter_map(word).map(|(word, count)| (word, cost(count))).collect()
});

/// Reads the dictionary, which the first hit would otherwise wait for.
pub(super) fn ready() {
    LazyLock::force(&WORDS);
}

/// Four characters of the basic plane in one number; `None` for any other.
fn key(word: impl Iterator<Item = char>) -> Option<u64> {
    word.enumerate().try_fold(0, |key, (nth, c)| {
        let unit = u64::from(u16::try_from(c as u32).ok()?);
        (nth < WORD_MAX).then_some(key << 16 | unit)
    })
}

/// The cost of reading a word there: the less often it occurs, the more.
fn cost(count: f32) -> f32 {
    -(count / TOTAL).ln()
}

/// Whether a stretch of Chinese characters begins and ends where words do. Other stretches do.
pub(super) fn at_word_bounds(text: &str, span: &Range<usize>) -> bool {
    let hit: Vec<char> = text[span.clone()].chars().take(HIT_MAX + 1).collect();
    if hit.len() > HIT_MAX || !hit.iter().all(|c| is_han(*c)) {
        return true;
    }
    let mut window: Vec<char> = text[..span.start].chars().rev().take(WINDOW).take_while(|c| is_han(*c)).collect();
    window.reverse();
    let hit = window.len()..window.len() + hit.len();
    window.extend(text[span.start..].chars().take(hit.len() + WINDOW).take_while(|c| is_han(*c)));
    fits(&likeliest(&window, &hit), &hit)
}

/// Whether no word reaches over one edge of the hit. One that holds all of it does not cut it.
fn fits(words: &[Range<usize>], hit: &Range<usize>) -> bool {
    words.iter().all(|word| {
        let apart = word.end <= hit.start || word.start >= hit.end;
        let within = hit.start <= word.start && word.end <= hit.end;
        let around = word.start <= hit.start && hit.end <= word.end;
        apart || within || around
    })
}

/// The likeliest way to cut a window into words.
fn likeliest(window: &[char], hit: &Range<usize>) -> Vec<Range<usize>> {
    // By each end: the cost of the best way there, and where its last word begins.
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(window.len() + 1);
    best.push((0.0, 0));
    let (term, rarest) = (cost(TERM_COUNT), cost(1.0));
    for end in 1..=window.len() {
        let mut cheapest: Option<(f32, usize)> = None;
        let mut consider = |way: (f32, usize)| {
            if cheapest.is_none_or(|known| way.0 < known.0) {
                cheapest = Some(way);
            }
        };
        let first = end.saturating_sub(WORD_MAX);
        let costs = word_costs(&window[first..end]);
        for (start, cost) in (first..end).zip(costs) {
            if let Some(cost) = cost {
                consider((best[start].0 + cost, start));
            }
        }
        if end == hit.end {
            let known = word_cost(&window[hit.clone()]).unwrap_or(f32::MAX);
            consider((best[hit.start].0 + known.min(term), hit.start));
        }
        // A character that no word begins or ends with is a word by itself, the rarest.
        consider((best[end - 1].0 + rarest + 1.0, end - 1));
        best.extend(cheapest);
    }
    let mut words = Vec::with_capacity(window.len());
    let mut end = window.len();
    while end > 0 {
        words.push(best[end].1..end);
        end = best[end].1;
    }
    words
}

/// The costs of the words that end where a stretch of up to four characters ends, by where in it they begin.
fn word_costs(stretch: &[char]) -> [Option<f32>; WORD_MAX] {
    let mut costs = [None; WORD_MAX];
    let mut key = 0;
    for ((nth, c), shift) in stretch.iter().enumerate().rev().zip((0..).step_by(16)) {
        let Ok(unit) = u16::try_from(*c as u32) else { break };
        key |= u64::from(unit) << shift;
        costs[nth] = WORDS.get(&key).copied();
    }
    costs
}

fn word_cost(word: &[char]) -> Option<f32> {
    WORDS.get(&key(word.iter().copied())?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, term: &str) -> bool {
        let start = text.find(term).expect("the text holds the term");
        at_word_bounds(text, &(start..start + term.len()))
    }

    #[test]
    fn characters_of_two_words_that_meet_are_no_hit() {
        for (text, term) in [
            ("这件事是大麻烦啊", "大麻"),
            ("路口交通灯坏了", "口交"),
            ("进出口交易受影响", "口交"),
            ("把烘焙当做爱好", "做爱"),
            ("空军支援交通管制", "援交"),
            ("请注意以下注意事项", "下注"),
        ] {
            assert!(!holds(text, term), "{text}");
        }
    }

    #[test]
    fn a_word_of_its_own_is_a_hit_also_when_no_dictionary_has_it() {
        for (text, term) in [
            ("有人卖大麻吗", "大麻"),
            ("我想法轮功是什么", "法轮功"),
            ("网上赌博害人", "赌博"),
            ("加微信聊", "加微信"),
            ("专业代开发票", "代开发票"),
            ("兼职刷单日结", "刷单"),
            ("赌博机", "赌博"),
        ] {
            assert!(holds(text, term), "{text}");
        }
    }
}
