//! Which texts are near copies of one another. Figures by folds would flatter if a campaign's texts were learnt in one
//! fold and found in another.
//!
//! Texts are compared by MinHash: of each text the least of each of 48 hashes over its n-grams of five characters. How
//! many are the same in two texts estimates what share of these n-grams they have in common. Four of them at a time
//! give a key, and texts with the same key are compared: of two texts that share 70 %, 96 in a hundred are found, of two
//! that share 10 %, one in a thousand is compared.

use std::collections::HashMap;

use super::features::{bucket, each};
use super::lesson::Lesson;

/// How many hashes.
const HASHES: usize = 48;
/// How many of them make a key.
const KEY: usize = 4;
/// How many of the hashes are the same in near copies, at least.
const SAME_MIN: usize = HASHES / 2;
/// How many characters an n-gram has that is compared.
const CHARACTERS: usize = 5;

/// The least of each hash.
type Signature = [u32; HASHES];

/// For each of these texts, the first one of its group: near copies, and near copies of those.
pub(super) fn groups(lessons: &[&Lesson]) -> Vec<usize> {
    let signatures: Vec<Option<Signature>> = lessons.iter().map(|lesson| signature(lesson.fields())).collect();
    let mut groups: Vec<usize> = (0..lessons.len()).collect();
    let mut first: HashMap<(usize, &[u32]), usize> = HashMap::new();
    for (nth, signature) in signatures.iter().enumerate() {
        let Some(signature) = signature else { continue };
        for key in signature.chunks(KEY).enumerate() {
            let other = *first.entry(key).or_insert(nth);
            let Some(known) = &signatures[other] else { continue };
            let same = signature.iter().zip(known).filter(|(one, other)| one == other).count();
            if other != nth && same >= SAME_MIN {
                let (one, other) = (root(&mut groups, nth), root(&mut groups, other));
                groups[one.max(other)] = one.min(other);
            }
        }
    }
    (0..lessons.len()).map(|nth| root(&mut groups, nth)).collect()
}

/// The first of a text's group.
fn root(groups: &mut [usize], mut nth: usize) -> usize {
    while groups[nth] != nth {
        groups[nth] = groups[groups[nth]];
        nth = groups[nth];
    }
    nth
}

/// None of a text that is too short to have an n-gram.
fn signature<'a>(fields: impl Iterator<Item = &'a str>) -> Option<Signature> {
    let mut least = [u32::MAX; HASHES];
    let mut any = false;
    for field in fields {
        each(field, |hash, [from, to]| {
            let bucket = bucket(hash);
            if field[from..to].chars().count() == CHARACTERS {
                any = true;
                for (least, seed) in least.iter_mut().zip(1_u32..) {
                    *least = (*least).min(mixed(bucket ^ seed.wrapping_mul(0x9e37_79b9)));
                }
            }
        });
    }
    any.then_some(least)
}

/// The finaliser of MurmurHash3: each bit of the result depends on all bits.
fn mixed(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_a_number_or_a_name_are_in_one_group_and_others_are_not() {
        let campaign =
            |name: &str| format!("Dear {name}, you have won a garden gnome in our weekly draw, call 555 now!");
        let texts = [
            campaign("Ann"),
            campaign("Bob"),
            campaign("Christopher"),
            "shall we meet at the station after lunch, or do you want to walk?".to_owned(),
            "我们明天下午三点在图书馆门口见面,记得带上那本关于植物的书,还有上次借给你的雨伞和水杯".to_owned(),
            "我们明天下午四点在图书馆门口见面,记得带上那本关于植物的书,还有上次借给你的雨伞和水杯".to_owned(),
            "今天的天气真不错,适合去公园散步".to_owned(),
            "ok".to_owned(),
            "no".to_owned(),
        ];
        let lessons: Vec<Lesson> = texts.iter().map(|text| Lesson::new("", text, true)).collect();
        let lessons: Vec<&Lesson> = lessons.iter().collect();
        assert_eq!(groups(&lessons), [0, 0, 0, 3, 4, 4, 6, 7, 8]);
    }
}
