//! The review: may this post be shown, should a person see it first, or not at all?
//!
//! ```text
//!  file ──parse──► rules ──compile──► RuleSet        once, at start
//!                                       │
//!  Post ──fold──► matcher ──hits──► score ──► Review  each post: pure, linear, no panic on any text
//! ```
//!
//! A rule set is data: a moderator changes it without a build, and each review names the one that matched, down to its
//! hash. Terms and patterns carry weights; what they add up to in a category decides. A word list cannot judge hate
//! or irony, so the built-in rules hold such posts for a person and reject only what leaves little doubt.
//!
//! The way in is [`RuleSet`]; the format of a file is described in docs/RULES.md.

mod builtin;
mod check;
mod compact;
mod compile;
pub mod copies;
mod decode;
mod error;
mod explain;
mod file;
mod fit;
mod fold;
mod han;
mod hit;
mod host;
mod imitation;
mod index;
mod judge;
mod language;
mod learned;
mod link;
mod lint;
mod lists;
mod literal;
mod matcher;
mod nested;
mod patterns;
mod pinyin;
pub mod reviewer;
mod rules;
mod runs;
mod same_text;
mod score;
mod signal;
mod source;
mod spelled;
mod spelling;
pub mod strangers;
mod table;
mod together;
mod vocabulary;
mod ways;
mod words;

pub use self::builtin::BUILTIN_RULES;
pub use self::error::{Mistakes, Position, RulesError};
pub use self::explain::{Explanation, Finding};
pub use self::fit::{Change, Fit, Rates, Sample, Share, Unfit};
pub use self::judge::Judge;
use self::language::Language;
use self::learned::suspected;
pub use self::learned::{About, Draft, Lesson, Lessons, Points, Scorer, ScorerError, drafted};
pub use self::lint::{Checked, Warning};
use self::matcher::{Hits, Matcher};
use self::rules::{Category, Combination, Rule};
pub use self::same_text::fingerprint;
use self::score::{Scored, Tally};
use sluice_core::post::{CONTENT_MAX_CHARS, Post, TITLE_MAX_CHARS};
use sluice_core::verdict::Review;

/// A set of rules, ready to review. It never changes: to reload is to make a new one.
pub struct RuleSet {
    id: String,
    categories: Vec<Category>,
    rules: Vec<Rule>,
    combinations: Vec<Combination>,
    /// The first of the rules that are the file's own, behind those that it extends.
    own: usize,
    /// The languages that the lists are for; none, if no file says.
    languages: Vec<Language>,
    /// Whether what looks suspicious holds a post.
    suspected: bool,
    matcher: Matcher,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RuleSet {
    /// What the rules say of a post.
    #[must_use]
    pub fn review(&self, post: &Post) -> Review {
        self.review_text(&post.title, &post.content)
    }

    /// The rule set's name, `@`, and the first twelve hexadecimal digits of the hash of the text it was read from
    /// (and of the built-in one, where that is extended).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Everything that the rules find in a text, and what follows from it. It costs more than a review.
    #[must_use]
    pub fn explain(&self, title: &str, content: &str) -> Explanation {
        let (mut tally, mut findings) = (self.tally(), Vec::new());
        for (field, text, limit) in fields(title, content) {
            let (read, Hits { all: mut hits, cut }) = self.hits(text, limit, true);
            tally.count(field, read, &mut hits, (text, cut));
            findings.extend(tally.findings(field, read, &hits));
        }
        let unlisted = self.unlisted(title, content).map(str::to_owned);
        let mut review = self.concluded(tally);
        self.suspect(&mut review, title, content);
        if self.suspected && unlisted.is_none() {
            findings.extend(suspected::findings(title, content));
        }
        Explanation { findings, review, unlisted, scorer: None }
    }

    /// What the rules say of a text that is no post yet.
    #[must_use]
    pub fn review_text(&self, title: &str, content: &str) -> Review {
        let mut review = self.concluded(self.counted(title, content));
        self.suspect(&mut review, title, content);
        review
    }

    /// Adds what looks suspicious. Of other languages than those of the lists nothing was learnt.
    fn suspect(&self, review: &mut Review, title: &str, content: &str) {
        if self.suspected
            && let Some(found) = suspected::found(title, content)
            && self.unlisted(title, content).is_none()
        {
            found.add(review);
        }
    }

    /// The rules that match a text, a list as often as its terms do.
    fn matched(&self, title: &str, content: &str) -> Vec<usize> {
        let mut tally = self.counted(title, content);
        tally.combine(&self.combinations);
        tally.matched()
    }

    fn counted(&self, title: &str, content: &str) -> Tally<'_> {
        let mut tally = self.tally();
        for (field, text, limit) in fields(title, content) {
            let (read, Hits { all: mut hits, cut }) = self.hits(text, limit, false);
            tally.count(field, read, &mut hits, (text, cut));
        }
        tally
    }

    /// The language or script of a text for which there is no list, by its name in rules files. `None`: there is one, or
    /// the language cannot be told, or no file says which languages its lists are for.
    #[must_use]
    pub fn unlisted(&self, title: &str, content: &str) -> Option<&'static str> {
        if self.languages.is_empty() {
            return None;
        }
        let language = Language::of(content).or_else(|| Language::of(title))?;
        (!self.languages.contains(&language)).then(|| language.name())
    }

    /// As much of a text as is read, and what is found in it.
    fn hits<'a>(&self, text: &'a str, limit: usize, all: bool) -> (&'a str, Hits) {
        let read = &text[..text.floor_char_boundary(limit)];
        (read, self.matcher.hits(read, all))
    }

    fn tally(&self) -> Tally<'_> {
        Tally::new(&self.categories, &self.rules, &self.matcher)
    }

    fn concluded(&self, mut tally: Tally<'_>) -> Review {
        tally.combine(&self.combinations);
        let Scored { verdict, scores, reasons, shadow } = tally.outcome();
        Review { verdict, reasons, scores, shadow, ruleset: self.id.clone() }
    }
}

/// The fields of a post, each with how much of it is read: as many bytes as a front door lets in.
fn fields<'a>(title: &'a str, content: &'a str) -> [(&'static str, &'a str, usize); 2] {
    const CHARACTER_MAX_BYTES: usize = 4;
    [
        ("title", title, CHARACTER_MAX_BYTES * TITLE_MAX_CHARS),
        ("content", content, CHARACTER_MAX_BYTES * CONTENT_MAX_CHARS),
    ]
}
