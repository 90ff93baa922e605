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
mod table;
mod together;
mod vocabulary;
mod ways;
mod words;

use std::path::Path;

use self::builtin::BUILTIN;
pub use self::builtin::BUILTIN_RULES;
pub use self::error::{Mistakes, Position, RulesError};
use self::error::{Source, Wrong};
pub use self::explain::{Explanation, Finding};
use self::file::RulesFile;
pub use self::fit::{Change, Fit, Rates, Sample, Share, Unfit};
pub use self::judge::Judge;
use self::language::Language;
pub use self::learned::{About, Lesson, Lessons, Points, Scorer, ScorerError};
pub use self::lint::{Checked, Warning};
use self::matcher::{Hits, Matcher};
use self::rules::{Category, Combination, Rule, Rules};
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
    matcher: Matcher,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSet").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RuleSet {
    /// The rules that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        // Their text is compiled in and nothing else is looked at, so what the test
        // `the_built_in_rules_are_in_order` read is what is read here.
        let (rules, _) = Self::compile(BUILTIN).expect("the built-in rules are valid, as a test checks");
        rules
    }

    /// Reads a rules file.
    ///
    /// # Errors
    /// [`Mistakes`], when the file cannot be read, is no rules file, or fails a test that it carries.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let origin = path.display().to_string();
        Self::parse(&source::read(path, &origin)?, &origin)
    }

    /// Reads a rules file, and says also what is odd about one that is in order.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn check(path: &Path) -> Result<Checked, Mistakes> {
        let origin = path.display().to_string();
        let text = source::read(path, &origin)?;
        let source = Source { origin: &origin, text: &text };
        let set = Self::tested(source)?;
        let (file, rules) = rules::read(source, BUILTIN)?;
        Ok(lint::checked(set, &file, &rules, source))
    }

    /// Reads rules from a text. `origin` is what errors call it; where the text gives no name, its last part without
    /// the extension is the rule set's name.
    ///
    /// # Errors
    /// [`Mistakes`], when the text is no rules file, or fails a test that it carries.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Mistakes> {
        Self::tested(Source { origin, text })
    }

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
        Explanation { findings, review: self.concluded(tally), unlisted, scorer: None }
    }

    /// What the rules say of a text that is no post yet.
    #[must_use]
    pub fn review_text(&self, title: &str, content: &str) -> Review {
        self.concluded(self.counted(title, content))
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

    fn compile(source: Source<'_>) -> Result<(Self, RulesFile), Mistakes> {
        let (file, mut rules) = rules::read(source, BUILTIN)?;
        let matcher = Matcher::new(&mut rules, source)?;
        let id = source::id(&file, source, &rules.files)?;
        // Not at the first post: it would wait for the dictionary and the table.
        words::ready();
        let Rules { categories, rules, combinations, own, languages, .. } = rules;
        Ok((Self { id, categories, rules, combinations, own, languages, matcher }, file))
    }

    /// Reads rules, and runs the tests that they carry.
    fn tested(source: Source<'_>) -> Result<Self, Mistakes> {
        let (set, file) = Self::compile(source)?;
        let mut wrong = Wrong::default();
        for case in &file.test {
            let review = set.review_text(&case.title, case.text.get_ref());
            if review.verdict != case.expect {
                let place = source.place(&case.text.span());
                wrong.add(RulesError::TestFailed { place, expected: case.expect, found: told(&review) });
            }
        }
        wrong.or(set, source)
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

/// A review on one line, for the person whose test failed.
fn told(review: &Review) -> String {
    let reasons: Vec<_> = review.reasons.iter().map(|reason| format!("{} {:?}", reason.rule, reason.text)).collect();
    let by = if reasons.is_empty() { "no rule".to_owned() } else { reasons.join(", ") };
    format!("{} (by {by})", review.verdict)
}
