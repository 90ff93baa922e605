//! A rules file as it is written: the keys, and nothing but these keys. What they mean is for [`super::rules`], and for
//! people in docs/RULES.md.
//!
//! Unknown keys are refused: with a mistyped `wieght`, a rule would not count. Values that are checked later have their place.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

use super::error::{Source, Wrong};
use super::language::Language;

mod rule;

pub(super) use self::rule::{
    Allow, Base, Case, Combination, HostIs, Link, List, Mode, Number, Pattern, Signal, Thresholds,
};

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    pub(super) extend: Option<Base>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) languages: Option<Vec<Language>>,
    pub(super) suspected: Option<bool>,
    #[serde(default)]
    pub(super) categories: BTreeMap<Spanned<String>, Thresholds>,
    #[serde(default)]
    pub(super) list: Vec<List>,
    #[serde(default)]
    pub(super) pattern: Vec<Pattern>,
    #[serde(default)]
    pub(super) link: Vec<Link>,
    #[serde(default)]
    pub(super) signal: Vec<Signal>,
    #[serde(default)]
    pub(super) combination: Vec<Combination>,
    #[serde(default)]
    pub(super) allow: Vec<Allow>,
    #[serde(default)]
    pub(super) test: Vec<Case>,
}

impl RulesFile {
    /// Reads a file, and notes what in it cannot be read. Each rule is read by itself, so that a mistake in one does
    /// not hide those in the others.
    pub(super) fn read(source: Source<'_>, wrong: &mut Wrong) -> Self {
        let mut file = Self::default();
        let (table, broken) = DeTable::parse_recoverable(source.text);
        if !broken.is_empty() {
            // What the reader made of the rest is a guess.
            broken.iter().for_each(|error| wrong.add(source.malformed(error)));
            return file;
        }
        let span = table.span();
        for (key, value) in table.into_inner() {
            for value in parts(value) {
                let part = DeTable::from_iter([(key.clone(), value)]);
                let read = Self::deserialize(Deserializer::from(Spanned::new(span.clone(), part)));
                if let Some(part) = wrong.note(read.map_err(|error| source.malformed(&error))) {
                    file.append(part);
                }
            }
        }
        file
    }

    /// Whether it says nothing at all about posts.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            extend,
            name: _,
            languages: _,
            suspected,
            categories,
            list,
            pattern,
            link,
            signal,
            combination,
            allow,
            test: _,
        } = self;
        let rules = [list.len(), pattern.len(), link.len(), signal.len(), combination.len(), allow.len()];
        extend.is_none() && *suspected != Some(true) && categories.is_empty() && rules.iter().all(|rules| *rules == 0)
    }

    fn append(&mut self, part: Self) {
        let Self {
            extend,
            name,
            languages,
            suspected,
            categories,
            list,
            pattern,
            link,
            signal,
            combination,
            allow,
            test,
        } = part;
        self.extend = extend.or(self.extend.take());
        self.name = name.or(self.name.take());
        self.languages = languages.or(self.languages.take());
        self.suspected = suspected.or(self.suspected);
        self.categories.extend(categories);
        self.list.extend(list);
        self.pattern.extend(pattern);
        self.link.extend(link);
        self.signal.extend(signal);
        self.combination.extend(combination);
        self.allow.extend(allow);
        self.test.extend(test);
    }
}

/// What can be read by itself: the elements of a list of tables, the entries of a table, else the whole.
fn parts(value: Spanned<DeValue<'_>>) -> Vec<Spanned<DeValue<'_>>> {
    let span = value.span();
    let part = |inner| Spanned::new(span.clone(), inner);
    match value.into_inner() {
        DeValue::Array(elements) if !elements.is_empty() && elements.iter().all(is_table) => {
            elements.into_iter().map(|element| part(DeValue::Array(DeArray::from_iter([element])))).collect()
        }
        DeValue::Table(entries) if !entries.is_empty() => {
            entries.into_iter().map(|entry| part(DeValue::Table(DeTable::from_iter([entry])))).collect()
        }
        whole => vec![part(whole)],
    }
}

fn is_table(value: &Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::Table(_))
}
