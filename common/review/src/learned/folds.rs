//! From which sum on a text is flagged, and what to expect of that: each text is counted by weights and a sum that were
//! found without it.

use std::panic::resume_unwind;
use std::thread;

use super::buckets::Buckets;
use super::lesson::Lesson;
use super::model::Model;
use super::near::groups;
use super::train::train;
use crate::Rates;

/// How many folds.
const FOLDS: usize = 5;

/// What was learnt from all lessons, and what the folds say of it.
pub(super) struct Learnt {
    /// The weights.
    pub(super) model: Model,
    /// Texts with a greater sum are flagged.
    pub(super) threshold: f32,
    /// What to expect.
    pub(super) by_folds: Rates,
    /// How many groups of near copies there are.
    pub(super) groups: usize,
}

/// A text's sum by weights that were found without it.
#[derive(Clone, Copy)]
struct HeldBack {
    fold: usize,
    flag: bool,
    sum: f32,
}

/// Learns six times, at the same time: from all lessons, and without each of the folds.
pub(super) fn learn(lessons: &[&Lesson], wanted: f64) -> Learnt {
    let groups = groups(lessons);
    // The same for all near copies, and by nothing but the texts.
    let fold = |nth: usize| usize::from(lessons[groups[nth]].fingerprint[0]) % FOLDS;
    let without = |left_out: Option<usize>| -> Vec<&Lesson> {
        (0..lessons.len()).filter(|nth| Some(fold(*nth)) != left_out).map(|nth| lessons[nth]).collect()
    };
    let (model, models) = thread::scope(|scope| {
        let all = scope.spawn(|| train(&without(None)));
        let others: Vec<_> = (0..FOLDS).map(|fold| scope.spawn(move || train(&without(Some(fold))))).collect();
        let models: Vec<Model> = others.into_iter().map(ended).collect();
        (ended(all), models)
    });
    let mut buckets = Buckets::default();
    let held_back: Vec<HeldBack> = (0..lessons.len())
        .map(|nth| {
            let sum = models[fold(nth)].sum(&mut buckets, lessons[nth].fields()).0;
            HeldBack { fold: fold(nth), flag: lessons[nth].flag, sum }
        })
        .collect();
    let mut by_folds = Rates::default();
    for (fold, model) in models.iter().enumerate() {
        let others = held_back.iter().filter(|text| text.fold != fold);
        let threshold = threshold(others, wanted).max(model.least());
        for text in held_back.iter().filter(|text| text.fold == fold) {
            by_folds.count(text.flag, text.sum > threshold);
        }
    }
    let first_of_group = groups.iter().enumerate().filter(|(nth, group)| nth == *group).count();
    let threshold = threshold(held_back.iter(), wanted).max(model.least());
    Learnt { model, threshold, by_folds, groups: first_of_group }
}

fn ended(learning: thread::ScopedJoinHandle<'_, Model>) -> Model {
    learning.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The least sum that so great a share of clean texts like these exceeds, at most: of n texts the (k + 1)th from above
/// is exceeded by the next one with a probability of (k + 1) / (n + 1). With too few texts for that, the greatest.
fn threshold<'a>(texts: impl Iterator<Item = &'a HeldBack>, wanted: f64) -> f32 {
    let mut sums: Vec<f32> = texts.filter(|text| !text.flag).map(|text| text.sum).collect();
    sums.sort_by(|one, other| other.total_cmp(one));
    let may = (wanted * (sums.len() + 1) as f64).floor() as usize;
    sums.get(may.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_lets_no_greater_share_of_clean_texts_through_than_is_wanted() {
        let texts: Vec<_> = (0..199).map(|nth| HeldBack { fold: 0, flag: false, sum: nth as f32 }).collect();
        // Two in 200 are one in a hundred: one of these, and half of the next one's chance.
        assert_eq!(threshold(texts.iter(), 0.01), 197.0);
        assert_eq!(threshold(texts.iter(), 0.005), 198.0);
        assert_eq!(threshold(texts[..50].iter(), 0.01), 49.0, "no share of so few is so small");
        assert_eq!(threshold([].iter(), 0.01), 0.0);
    }
}
