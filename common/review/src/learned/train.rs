//! The weights: logistic regression, by steps against the error of one text after the other.
//!
//! Each bucket's step shrinks with what it was moved already (AdaGrad), so that an n-gram of few texts is learnt as well
//! as one of many. Both classes count the same, whatever there is more of. The same lessons in the same order give the
//! same weights: there is no chance in it.

use super::buckets::Buckets;
use super::features::BUCKETS;
use super::lesson::Lesson;
use super::model::Model;

/// The first step of a bucket.
const STEP: f32 = 0.1;
/// How much of a weight is lost with each step that touches it.
const DECAY: f32 = 1e-5;
/// About how many steps are taken, a text each: few texts are looked at more often than many.
const STEPS: usize = 300_000;
/// The fewest and the most times that each text is looked at.
const TIMES: [usize; 2] = [4, 30];

/// Learns from these lessons. Their order is the order of the steps.
pub(super) fn train(lessons: &[&Lesson]) -> Model {
    let [least, most] = TIMES;
    let times = (STEPS / lessons.len().max(1)).clamp(least, most);
    let flagged = lessons.iter().filter(|lesson| lesson.flag).count();
    let share = |class: usize| lessons.len() as f32 / (2 * class.max(1)) as f32;
    let heavy = [share(lessons.len() - flagged), share(flagged)];
    let (mut weights, mut moved) = (vec![0.0_f32; BUCKETS], vec![0.0_f32; BUCKETS]);
    let (mut bias, mut bias_moved) = (0.0_f32, 0.0_f32);
    let mut buckets = Buckets::default();
    for _ in 0..times {
        for lesson in lessons {
            let there = buckets.of(lesson.fields());
            let each = 1.0 / (there.len().max(1) as f32).sqrt();
            let sum = bias + each * there.iter().map(|bucket| weights[*bucket as usize]).sum::<f32>();
            let expected = 1.0 / (1.0 + (-sum).exp());
            let error = (f32::from(u8::from(lesson.flag)) - expected) * heavy[usize::from(lesson.flag)];
            let slope = error * each;
            for bucket in there {
                let (weight, moved) = (&mut weights[*bucket as usize], &mut moved[*bucket as usize]);
                let slope = slope - DECAY * *weight;
                *moved += slope * slope;
                *weight += STEP * slope / (moved.sqrt() + 1e-6);
            }
            bias_moved += error * error;
            bias += STEP * error / (bias_moved.sqrt() + 1e-6);
        }
    }
    Model::quantised(&weights, bias)
}
