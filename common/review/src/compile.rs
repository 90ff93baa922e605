//! From a rules file to a set of rules that is ready to review, or to everything that is wrong with it.

use std::path::Path;

use sluice_core::verdict::Review;

use super::builtin::BUILTIN;
use super::error::{Mistakes, RulesError, Source, Wrong};
use super::file::RulesFile;
use super::learned::suspected;
use super::lint::Checked;
use super::matcher::Matcher;
use super::rules::Rules;
use super::{RuleSet, lint, rules, source, words};

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

    fn compile(source: Source<'_>) -> Result<(Self, RulesFile), Mistakes> {
        let (file, mut rules) = rules::read(source, BUILTIN)?;
        let matcher = Matcher::new(&mut rules, source)?;
        let id = source::id(&file, source, &rules)?;
        // Not at the first post: it would wait for the dictionary and the table.
        words::ready();
        if rules.suspected {
            suspected::ready();
        }
        let Rules { categories, rules, combinations, own, languages, suspected, .. } = rules;
        Ok((Self { id, categories, rules, combinations, own, languages, suspected, matcher }, file))
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

/// A review on one line, for the person whose test failed.
fn told(review: &Review) -> String {
    let reasons: Vec<_> = review.reasons.iter().map(|reason| format!("{} {:?}", reason.rule, reason.text)).collect();
    let by = if reasons.is_empty() { "no rule".to_owned() } else { reasons.join(", ") };
    format!("{} (by {by})", review.verdict)
}
