//! A scorer in use: what it adds to a review. It may hold a post that the rules approve, and nothing else: it never
//! rejects, and never makes a verdict weaker.

use std::cell::RefCell;
use std::path::Path;

use sluice_core::verdict::{Reason, Review, Score, Verdict};
use time::OffsetDateTime;

use super::about::About;
use super::features::Buckets;
use super::file::{self, Content, ScorerError};
use super::finding::{LEARNED, Stretch, stretches};
use super::folds::{self, Learnt};
use super::lesson::Lessons;
use crate::explain::Finding;
use crate::fold::folded;
use crate::score::cut;
use crate::{Unfit, fields};

/// From how many points it holds a post.
const HOLD: u32 = 50;

/// What was learnt from a site's decisions. It never changes: to learn again is to make a new one.
pub struct Scorer {
    id: String,
    content: Content,
    doubt: Option<String>,
}

/// What a scorer says of a text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Points {
    /// The scorer: `learned`, `@`, and the first twelve hexadecimal digits of its file's checksum.
    pub scorer: String,
    /// From 0 to 100: how sure it is that the text should be flagged; from 50 on it holds a post.
    pub points: u32,
    /// Why it decides nothing yet; none: it does.
    pub in_shadow: Option<String>,
}

/// What a scorer found in a text: its points, at least 50, and the stretches that spoke most, at least one.
struct Found {
    points: u32,
    named: Vec<Stretch>,
}

thread_local! {
    /// The buckets of the text that is looked at: there is one text at a time, and the bits of its buckets take longer
    /// to make than to use.
    static BUCKETS: RefCell<Buckets> = RefCell::default();
}

impl std::fmt::Debug for Scorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scorer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Scorer {
    /// Learns from these texts to find the most of those that should be flagged, with at most this share of false alarms
    /// (above 0, up to 1). The same texts give the same scorer.
    ///
    /// # Errors
    /// [`Unfit`], when the texts are too few or contradict one another.
    pub fn learn(lessons: &Lessons, wanted: f64, now: OffsetDateTime) -> Result<Self, Unfit> {
        let all = lessons.checked()?;
        let (flagged, clean) = lessons.classes();
        let Learnt { model, threshold, by_folds, groups } = folds::learn(&all, wanted);
        let about = About { learned_at: now, flagged, clean, copies: lessons.copies(), groups, wanted, by_folds };
        let content = Content { about, model, threshold };
        let digest = file::digest(&file::written(&content));
        Ok(Self::new(content, &digest))
    }

    /// Reads a scorer file.
    ///
    /// # Errors
    /// [`ScorerError`], when it cannot be read, or is not exactly what was written.
    pub fn load(path: &Path) -> Result<Self, ScorerError> {
        let bytes = file::bytes(path)?;
        let content = file::read(&bytes, &path.display().to_string())?;
        Ok(Self::new(content, &file::digest(&bytes)))
    }

    fn new(content: Content, digest: &str) -> Self {
        Self { id: format!("{LEARNED}@{digest}"), doubt: content.about.doubt(), content }
    }

    /// What its file holds: at most two megabytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        file::written(&self.content)
    }

    /// `learned`, `@`, and the first twelve hexadecimal digits of its file's checksum.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From what it was learnt, and what to expect of it.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.content.about
    }

    /// Why it runs in shadow: it then decides nothing, and what it would hold is only told. `None`: it does not.
    #[must_use]
    pub fn in_shadow(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// What it says of a text.
    #[must_use]
    pub fn points(&self, title: &str, content: &str) -> Points {
        let (sum, _) = self.sum(title, content);
        Points { scorer: self.id.clone(), points: self.as_points(sum), in_shadow: self.doubt.clone() }
    }

    /// Adds to a review what it finds in the text.
    pub(crate) fn add(&self, review: &mut Review, title: &str, content: &str) {
        let found = self.found(title, content);
        if self.doubt.is_some() {
            // One for each post: they are counted.
            let strongest = found.and_then(|found| found.named.into_iter().next());
            review.shadow.extend(strongest.map(told));
            return;
        }
        review.ruleset = format!("{}+{}", review.ruleset, self.id);
        let Some(Found { points, named }) = found else { return };
        let reasons = named.into_iter().map(told);
        let score = Score { category: LEARNED.to_owned(), sum: points, hold: Some(HOLD), reject: None, urgent: false };
        if review.verdict == Verdict::Approved {
            // It decided: its category is that of the case.
            review.verdict = Verdict::Held;
            review.reasons.splice(0..0, reasons);
            review.scores.insert(0, score);
        } else {
            review.reasons.extend(reasons);
            review.scores.push(score);
        }
    }

    /// What it finds, for people. The texts are not cut.
    pub(crate) fn findings(&self, title: &str, content: &str) -> Vec<Finding> {
        let Some(Found { points, named }) = self.found(title, content) else { return Vec::new() };
        let finding = |stretch: Stretch| Finding {
            // Its share of the points.
            weight: (points as f32 * stretch.share).round() as u32,
            reason: stretch.reason,
            dropped: self.doubt.as_ref().map(|_| "the scorer is in shadow".to_owned()),
        };
        named.into_iter().map(finding).collect()
    }

    fn found(&self, title: &str, content: &str) -> Option<Found> {
        let (sum, buckets) = self.sum(title, content);
        if sum <= self.content.threshold {
            return None;
        }
        let share = self.content.model.share(buckets);
        let weigh = |bucket: u32| share * f32::from(self.content.model.weights[bucket as usize]);
        let read = fields(title, content).map(|(name, text, limit)| (name, &text[..text.floor_char_boundary(limit)]));
        let named = stretches(read, weigh);
        // Where nothing speaks against a text, nothing is found, whatever it is that a text begins with.
        (!named.is_empty()).then(|| Found { points: self.as_points(sum).max(HOLD), named })
    }

    /// A text's sum, and how many buckets it has.
    fn sum(&self, title: &str, content: &str) -> (f32, usize) {
        let folded = fields(title, content).map(|(_, text, limit)| folded(&text[..text.floor_char_boundary(limit)]));
        BUCKETS.with_borrow_mut(|buckets| self.content.model.sum(buckets, folded.iter().map(String::as_str)))
    }

    /// The odds, compared with those from which it holds: 50 for the same, 100 for certainty.
    fn as_points(&self, sum: f32) -> u32 {
        (100.0 / (1.0 + (self.content.threshold - sum).exp())).round() as u32
    }
}

/// As a row keeps it.
fn told(stretch: Stretch) -> Reason {
    let (text, matched) = (cut(&stretch.reason.text), cut(&stretch.reason.matched));
    Reason { text, matched, ..stretch.reason }
}
