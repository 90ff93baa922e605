//! What reviews a post by itself: the rules, and where a site has one, its scorer.

use std::sync::Arc;

use sluice_core::post::Post;
use sluice_core::verdict::Review;

use crate::{Explanation, RuleSet, Scorer};

/// Rules with a scorer, or without one. It never changes: to replace a part of it is to make a new one.
#[derive(Debug, Clone)]
pub struct Judge {
    rules: Arc<RuleSet>,
    scorer: Option<Arc<Scorer>>,
    id: String,
}

impl Judge {
    /// These rules, with this scorer.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, scorer: Option<Arc<Scorer>>) -> Self {
        let deciding = scorer.as_ref().filter(|scorer| scorer.in_shadow().is_none());
        let id = match deciding {
            Some(scorer) => format!("{}+{}", rules.id(), scorer.id()),
            None => rules.id().to_owned(),
        };
        Self { rules, scorer, id }
    }

    /// The same scorer with other rules.
    #[must_use]
    pub fn with_rules(&self, rules: RuleSet) -> Self {
        Self::new(Arc::new(rules), self.scorer.clone())
    }

    /// The same rules with another scorer.
    #[must_use]
    pub fn with_scorer(&self, scorer: Scorer) -> Self {
        Self::new(Arc::clone(&self.rules), Some(Arc::new(scorer)))
    }

    /// The rule set's id, and that of the scorer if it decides anything: what its reviews name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The scorer.
    #[must_use]
    pub fn scorer(&self) -> Option<&Scorer> {
        self.scorer.as_deref()
    }

    /// What it says of a post.
    #[must_use]
    pub fn review(&self, post: &Post) -> Review {
        self.review_text(&post.title, &post.content)
    }

    /// What it says of a text that is no post yet.
    #[must_use]
    pub fn review_text(&self, title: &str, content: &str) -> Review {
        let mut review = self.rules.review_text(title, content);
        if let Some(scorer) = &self.scorer {
            scorer.add(&mut review, title, content);
        }
        review
    }

    /// Everything that is found in a text, and what follows from it. It costs more than a review.
    #[must_use]
    pub fn explain(&self, title: &str, content: &str) -> Explanation {
        let mut explanation = self.rules.explain(title, content);
        if let Some(scorer) = &self.scorer {
            scorer.add(&mut explanation.review, title, content);
            explanation.findings.extend(scorer.findings(title, content));
            explanation.scorer = Some(scorer.points(title, content));
        }
        explanation
    }
}
