//! The review: may this post be shown, should a person see it first, or not at all?
//!
//! ```text
//!  file ──parse──► rules ──compile──► RuleSet        once, at start
//!                                       │
//!  Post ──fold──► matcher ──hits──► score ──► Review  each post: pure, linear, no panic on any text
//! ```
//!
//! A rule set is data: a moderator changes it without a build, and each review names the one that spoke, down to its
//! hash. Terms and patterns carry weights; what they add up to in a category decides. A word list cannot judge hate
//! or irony, so the built-in rules hold such posts for a person and reject only what leaves little doubt.
//!
//! The way in is [`RuleSet`]; the format of a file is told in docs/RULES.md.

mod check;
mod compact;
mod decode;
mod error;
mod explain;
mod file;
mod fold;
mod han;
mod hit;
mod imitation;
mod link;
mod lint;
mod lists;
mod literal;
mod matcher;
mod patterns;
mod pinyin;
mod rules;
mod score;
mod signal;
mod spelling;
mod table;
mod vocabulary;
mod words;

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use self::error::Source;
pub use self::error::{Place, RulesError};
pub use self::explain::{Explanation, Finding};
use self::file::{Base, RulesFile};
pub use self::lint::{Checked, Warning};
use self::matcher::Matcher;
use self::rules::{Category, Combination, Rule};
use self::score::{Outcome, Tally};
use crate::post::Post;
use crate::verdict::Review;

/// The rules that come with the program.
const BUILTIN: Source<'static> = Source { origin: "builtin", text: include_str!("../../rules/default.toml") };

/// A set of rules, ready to review. It never changes: to reload is to make a new one.
pub struct RuleSet {
    id: String,
    categories: Vec<Category>,
    rules: Vec<Rule>,
    combinations: Vec<Combination>,
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
        let rules = rules::parse(BUILTIN).and_then(|file| Self::compile(&file, BUILTIN));
        rules.expect("the built-in rules are in order, as a test has seen")
    }

    /// Reads a rules file.
    ///
    /// # Errors
    /// [`RulesError`], when the file cannot be read, is no rules file, or fails a test that it carries.
    pub fn load(path: &Path) -> Result<Self, RulesError> {
        let origin = path.display().to_string();
        Self::parse(&read(path, &origin)?, &origin)
    }

    /// Reads a rules file, and says also what is odd about one that is in order.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn check(path: &Path) -> Result<Checked, RulesError> {
        let origin = path.display().to_string();
        let text = read(path, &origin)?;
        let source = Source { origin: &origin, text: &text };
        let set = Self::parse(&text, &origin)?;
        let file = rules::parse(source)?;
        let rules = rules::read(&file, source, BUILTIN)?;
        Ok(lint::checked(set, &file, &rules, source))
    }

    /// Reads rules from a text. `origin` is what errors call it; where the text gives no name, its last part without
    /// the extension is the rule set's name.
    ///
    /// # Errors
    /// [`RulesError`], when the text is no rules file, or fails a test that it carries.
    pub fn parse(text: &str, origin: &str) -> Result<Self, RulesError> {
        let source = Source { origin, text };
        let file = rules::parse(source)?;
        let set = Self::compile(&file, source)?;
        set.test(&file, source)?;
        Ok(set)
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
        for (field, text) in [("title", title), ("content", content)] {
            let mut hits = self.matcher.hits(text, true);
            tally.count(field, text, &mut hits);
            findings.extend(tally.findings(field, text, &hits));
        }
        Explanation { findings, review: self.concluded(tally) }
    }

    /// What the rules say of a text that is no post yet.
    #[must_use]
    pub fn review_text(&self, title: &str, content: &str) -> Review {
        let mut tally = self.tally();
        for (field, text) in [("title", title), ("content", content)] {
            tally.count(field, text, &mut self.matcher.hits(text, false));
        }
        self.concluded(tally)
    }

    fn tally(&self) -> Tally<'_> {
        Tally::new(&self.categories, &self.rules, &self.matcher)
    }

    fn concluded(&self, mut tally: Tally<'_>) -> Review {
        tally.combine(&self.combinations);
        let Outcome { verdict, scores, reasons, shadow } = tally.outcome();
        Review { verdict, reasons, scores, shadow, ruleset: self.id.clone() }
    }

    fn compile(file: &RulesFile, source: Source<'_>) -> Result<Self, RulesError> {
        let mut rules = rules::read(file, source, BUILTIN)?;
        let matcher = Matcher::new(&mut rules, source)?;
        let id = id(file, source, &rules.files)?;
        // Not at the first post: it would wait for the dictionary and the table.
        words::ready();
        Ok(Self { id, categories: rules.categories, rules: rules.rules, combinations: rules.combinations, matcher })
    }

    /// Runs the tests that a file carries.
    fn test(&self, file: &RulesFile, source: Source<'_>) -> Result<(), RulesError> {
        for case in &file.test {
            let review = self.review_text(&case.title, case.text.get_ref());
            if review.verdict != case.expect {
                let place = source.place(&case.text.span());
                return Err(RulesError::TestFailed { place, expected: case.expect, found: told(&review) });
            }
        }
        Ok(())
    }
}

/// The text of a file that people call `origin`.
fn read(path: &Path, origin: &str) -> Result<String, RulesError> {
    let bytes = fs::read(path).map_err(|source| RulesError::Unreadable { path: origin.to_owned(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let found = format!("the byte 0x{:02X}", error.as_bytes().get(at).copied().unwrap_or_default());
        Source { origin, text: &text }.invalid(&(at..at), found, "UTF-8 text")
    })
}

/// A review on one line, for the person whose test failed.
fn told(review: &Review) -> String {
    let reasons: Vec<_> = review.reasons.iter().map(|reason| format!("{} {:?}", reason.rule, reason.text)).collect();
    let by = if reasons.is_empty() { "no rule".to_owned() } else { reasons.join(", ") };
    format!("{} (by {by})", review.verdict)
}

/// What [`RuleSet::id`] gives.
fn id(file: &RulesFile, source: Source<'_>, lists: &[String]) -> Result<String, RulesError> {
    let name = match &file.name {
        Some(name) => check::checked_id(name, "a name", source)?,
        None => check::name_from(source.origin),
    };
    let mut hash = Sha256::new();
    if let Some(Base::Builtin) = file.extend {
        hash.update(BUILTIN.text);
        // So that no two pairs of texts run together to the same bytes.
        hash.update([0]);
    }
    hash.update(source.text);
    for list in lists {
        hash.update([0]);
        hash.update(list);
    }
    let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}@{digest}"))
}
