//! From a rules file as it is written to rules that mean something: every name known, every number in its bounds,
//! every term folded, every pattern one that can match. What passes here cannot fail later, on a post.

use std::collections::HashSet;

use regex::Regex;
use toml::Spanned;

use super::check::{checked_id, checked_number, checked_term, compiled};
use super::error::{RulesError, Source};
use super::file::{self, Base, RulesFile};

/// The heaviest a rule may be. Thresholds are on the same scale, so that a weight reads as a share of them.
const WEIGHT_MAX: u32 = 100;

/// A kind of harm, with what the weights of its hits must add up to.
#[derive(Debug, Clone)]
pub(super) struct Category {
    pub(super) name: String,
    pub(super) hold: Option<u32>,
    pub(super) reject: Option<u32>,
}

/// A list or a pattern: what a reason names.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: String,
    /// Which of [`Rules::categories`].
    pub(super) category: usize,
    pub(super) weight: u32,
}

/// A folded word or phrase.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) text: String,
    /// Which of [`Rules::rules`] it speaks for; `None`: it is an allowed phrase.
    pub(super) rule: Option<usize>,
    pub(super) words: bool,
}

/// A regular expression, for folded text.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    pub(super) rule: usize,
}

/// Everything a rule set is made of.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) categories: Vec<Category>,
    pub(super) rules: Vec<Rule>,
    pub(super) terms: Vec<Term>,
    pub(super) patterns: Vec<Pattern>,
}

impl Rules {
    /// Takes in a file, on top of what is there. A category that is there already gets the file's thresholds.
    pub(super) fn absorb(&mut self, file: &RulesFile, source: Source<'_>) -> Result<(), RulesError> {
        for (name, thresholds) in &file.categories {
            self.absorb_category(name, thresholds, source)?;
        }
        for list in &file.list {
            let rule = self.rule(&list.id, &list.category, &list.weight, source)?;
            self.absorb_terms(&list.terms, Some(rule), list.words, source)?;
        }
        for pattern in &file.pattern {
            let rule = self.rule(&pattern.id, &pattern.category, &pattern.weight, source)?;
            self.patterns.push(Pattern { regex: compiled(&pattern.regex, source)?, rule });
        }
        for allow in &file.allow {
            self.absorb_terms(&allow.phrases, None, allow.words, source)?;
        }
        Ok(())
    }

    fn absorb_category(
        &mut self,
        name: &Spanned<String>,
        thresholds: &file::Thresholds,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let name_text = checked_id(name, "a category", source)?;
        let bound = |sum: &Option<Spanned<i64>>| {
            sum.as_ref().map(|sum| checked_number(sum, "a threshold", 10 * WEIGHT_MAX, source)).transpose()
        };
        let (hold, reject) = (bound(&thresholds.hold)?, bound(&thresholds.reject)?);
        match (hold, reject) {
            (None, None) => {
                let found = format!("the category {name_text:?} without a threshold");
                return Err(source.invalid(&name.span(), found, "`hold`, `reject` or both"));
            }
            (Some(hold), Some(reject)) if hold >= reject => {
                let found = format!("hold = {hold} with reject = {reject}: nothing would ever be held");
                return Err(source.invalid(&name.span(), found, "a `hold` below `reject`"));
            }
            (Some(_), _) | (_, Some(_)) => {}
        }
        let category = Category { name: name_text, hold, reject };
        match self.categories.iter_mut().find(|known| known.name == category.name) {
            Some(known) => *known = category,
            None => self.categories.push(category),
        }
        Ok(())
    }

    /// Adds what a list and a pattern have in common; gives its index.
    fn rule(
        &mut self,
        id: &Spanned<String>,
        category: &Spanned<String>,
        weight: &Spanned<i64>,
        source: Source<'_>,
    ) -> Result<usize, RulesError> {
        let id_text = checked_id(id, "a rule's id", source)?;
        if self.rules.iter().any(|known| known.id == id_text) {
            let found = format!("the id {id_text:?} a second time");
            return Err(source.invalid(&id.span(), found, "an id that no other rule has"));
        }
        let wanted = category.get_ref();
        let Some(category_index) = self.categories.iter().position(|known| known.name == *wanted) else {
            let known: Vec<_> = self.categories.iter().map(|known| known.name.as_str()).collect();
            let expected = match known.is_empty() {
                true => "a category that the file declares, as [categories.NAME]".to_owned(),
                false => format!("one of {}, or a section [categories.{wanted}]", known.join(", ")),
            };
            return Err(source.invalid(&category.span(), format!("the unknown category {wanted:?}"), expected));
        };
        let weight = checked_number(weight, "a weight", WEIGHT_MAX, source)?;
        self.rules.push(Rule { id: id_text, category: category_index, weight });
        Ok(self.rules.len() - 1)
    }

    fn absorb_terms(
        &mut self,
        terms: &Spanned<Vec<Spanned<String>>>,
        rule: Option<usize>,
        words: bool,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        if terms.get_ref().is_empty() {
            return Err(source.invalid(&terms.span(), "no term", "at least one"));
        }
        let mut seen = HashSet::new();
        for term in terms.get_ref() {
            let text = checked_term(term, source)?;
            if !seen.insert(text.clone()) {
                let found = format!("the term {:?} a second time in this list", term.get_ref());
                return Err(source.invalid(&term.span(), found, "each term once (case and width make no difference)"));
            }
            self.terms.push(Term { text, rule, words });
        }
        Ok(())
    }
}

/// The rules of one file, on top of those it builds on.
pub(super) fn read(file: &RulesFile, source: Source<'_>, builtin: Source<'_>) -> Result<Rules, RulesError> {
    let mut rules = Rules::default();
    match file.extend {
        Some(Base::Builtin) => rules.absorb(&parse(builtin)?, builtin)?,
        None => {}
    }
    rules.absorb(file, source)?;
    Ok(rules)
}

/// The keys of a file, before anything is asked of their values.
pub(super) fn parse(source: Source<'_>) -> Result<RulesFile, RulesError> {
    toml::from_str(source.text).map_err(|error| source.malformed(&error))
}
