//! Learns the list: which n-grams of several texts tell most, and what each weighs.
//!
//! Logistic regression as for a site's scorer, over the n-grams themselves instead of buckets: in one list for all
//! languages, rare Chinese n-grams would share buckets with common English ones. What few texts have is left out, then
//! what weighs little.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::features::{BLANK_EDGE, characters, hash_of_characters, hash_of_words, words};
use super::super::lesson::{Lesson, Lessons};
use super::text::{BLANK, PAIR, read};
use crate::Unfit;

/// In how many texts an n-gram stands, at least.
const TEXTS_MIN: u32 = 3;
/// How often each text is looked at.
const TIMES: usize = 40;
/// The first step of a weight.
const STEP: f32 = 0.5;

/// A list in the making.
pub struct Draft {
    /// Its text.
    pub text: String,
}

/// A text as the places of its n-grams in the list, and how many it has altogether.
struct Counted {
    ngrams: Vec<u32>,
    share: f32,
    flag: bool,
}

impl Draft {
    /// What it says of each of these texts, title and content: the logarithm of the odds that a moderator must see it.
    #[must_use]
    pub fn sums<'a>(&self, texts: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<f32> {
        let Ok(gauge) = read(&self.text) else { return Vec::new() };
        texts.map(|(title, content)| gauge.sum(title, content).0).collect()
    }
}

/// Learns from these texts, each of which counts the same. `keep` n-grams are listed; `threshold` is the sum from which
/// a post is held.
///
/// # Errors
/// [`Unfit`], when the texts are too few or contradict one another.
pub fn drafted(lessons: &Lessons, keep: usize, threshold: f32) -> Result<Draft, Unfit> {
    let lessons = lessons.checked()?;
    let mut texts: HashMap<String, u32> = HashMap::new();
    for lesson in &lessons {
        distinct(lesson).into_values().for_each(|ngram| *texts.entry(ngram).or_default() += 1);
    }
    texts.retain(|ngram, texts| *texts >= TEXTS_MIN && !ngram.contains(char::is_control));
    let all = sorted(texts.keys().cloned().collect());
    let (weights, _) = trained(&counted(&lessons, &all), all.len());
    let tells = |nth: &usize| weights[*nth].abs() * (texts[&all[*nth]] as f32).sqrt();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|one, other| tells(other).total_cmp(&tells(one)).then(one.cmp(other)));
    let kept = sorted(order.into_iter().take(keep).map(|nth| all[nth].clone()).collect());
    let (weights, bias) = trained(&counted(&lessons, &kept), kept.len());
    let heaviest = weights.iter().fold(f32::MIN_POSITIVE, |heaviest, weight| heaviest.max(weight.abs()));
    let scale = heaviest / f32::from(i8::MAX);
    let mut text = format!("threshold {threshold}\nbias {bias}\nscale {scale}\n");
    for (ngram, weight) in kept.iter().zip(&weights) {
        let weight = (weight / scale).round();
        if weight != 0.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{ngram} {weight}");
        }
    }
    Ok(Draft { text })
}

fn sorted(mut ngrams: Vec<String>) -> Vec<String> {
    ngrams.sort_unstable();
    ngrams
}

/// The n-grams of a text, each once, by their hashes.
fn distinct(lesson: &Lesson) -> HashMap<u64, String> {
    let mut all = HashMap::new();
    for field in lesson.fields() {
        characters(field, |ngram| {
            let hash = hash_of_characters(ngram.iter().copied());
            all.entry(hash)
                .or_insert_with(|| ngram.iter().map(|c| if *c == BLANK_EDGE { BLANK } else { *c }).collect());
        });
        words(field, |one, other| {
            all.entry(hash_of_words(one, other)).or_insert_with(|| format!("{one}{PAIR}{other}"));
        });
    }
    all
}

fn counted(lessons: &[&Lesson], listed: &[String]) -> Vec<Counted> {
    let places: HashMap<&str, u32> = listed.iter().map(String::as_str).zip(0..).collect();
    let count = |lesson: &&Lesson| {
        let all = distinct(lesson);
        let mut ngrams: Vec<u32> = all.values().filter_map(|ngram| places.get(ngram.as_str()).copied()).collect();
        ngrams.sort_unstable();
        Counted { ngrams, share: 1.0 / (all.len().max(1) as f32).sqrt(), flag: lesson.flag }
    };
    lessons.iter().map(count).collect()
}

/// The weight of each n-gram, and what a text has against it before its first one.
fn trained(texts: &[Counted], ngrams: usize) -> (Vec<f32>, f32) {
    let (mut weights, mut moved) = (vec![0.0_f32; ngrams], vec![0.0_f32; ngrams]);
    let (mut bias, mut bias_moved) = (0.0_f32, 0.0_f32);
    for _ in 0..TIMES {
        for Counted { ngrams, share, flag } in texts {
            let sum = bias + share * ngrams.iter().map(|nth| weights[*nth as usize]).sum::<f32>();
            let error = f32::from(u8::from(*flag)) - 1.0 / (1.0 + (-sum).exp());
            let slope = error * share;
            for nth in ngrams {
                let (weight, moved) = (&mut weights[*nth as usize], &mut moved[*nth as usize]);
                *moved += slope * slope;
                *weight += STEP * slope / (moved.sqrt() + 1e-6);
            }
            bias_moved += error * error;
            bias += STEP * error / (bias_moved.sqrt() + 1e-6);
        }
    }
    (weights, bias)
}
