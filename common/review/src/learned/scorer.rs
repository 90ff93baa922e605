//! A site's own scorer: what was learnt from its decisions, and whether that is good enough to decide anything.

use std::path::Path;

use sluice_core::verdict::Review;
use time::OffsetDateTime;

use super::about::About;
use super::file::{self, Content, ScorerError};
use super::finding::LEARNED;
use super::folds::{self, Learnt};
use super::gauge::{Gauge, told};
use super::lesson::Lessons;
use crate::Unfit;
use crate::explain::Finding;

/// What was learnt from a site's decisions. It never changes: to learn again is to make a new one.
pub struct Scorer {
    id: String,
    about: About,
    gauge: Gauge,
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
        let Content { about, model, threshold } = content;
        let (doubt, gauge) = (about.doubt(), Gauge { name: LEARNED, model, threshold });
        Self { id: format!("{LEARNED}@{digest}"), about, gauge, doubt }
    }

    /// What its file holds: at most two megabytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let Gauge { model, threshold, .. } = &self.gauge;
        file::written(&Content { about: self.about.clone(), model: model.clone(), threshold: *threshold })
    }

    /// `learned`, `@`, and the first twelve hexadecimal digits of its file's checksum.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From what it was learnt, and what to expect of it.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Why it runs in shadow: it then decides nothing, and what it would hold is only told. `None`: it does not.
    #[must_use]
    pub fn in_shadow(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// What it says of a text.
    #[must_use]
    pub fn points(&self, title: &str, content: &str) -> Points {
        let points = self.gauge.points(title, content);
        Points { scorer: self.id.clone(), points, in_shadow: self.doubt.clone() }
    }

    /// Adds to a review what it finds in the text.
    pub(crate) fn add(&self, review: &mut Review, title: &str, content: &str) {
        let found = self.gauge.found(title, content).filter(|found| !found.named.is_empty());
        if self.doubt.is_some() {
            // One for each post: they are counted.
            let strongest = found.and_then(|found| found.named.into_iter().next());
            review.shadow.extend(strongest.map(told));
            return;
        }
        review.ruleset = format!("{}+{}", review.ruleset, self.id);
        if let Some(found) = found {
            self.gauge.add(review, found);
        }
    }

    /// What it finds, for people. The texts are not cut.
    pub(crate) fn findings(&self, title: &str, content: &str) -> Vec<Finding> {
        self.gauge.findings(title, content, self.doubt.as_ref().map(|_| "the scorer is in shadow"))
    }
}
