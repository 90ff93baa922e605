//! Rules that match where others match together: each of those must be known.

use toml::Spanned;

use super::{Combination, Head, Rules, head};
use crate::check::checked_number;
use crate::error::{Source, Wrong};
use crate::file;

/// The longest distance between the rules of a combination, in bytes: farther apart is anywhere.
const WITHIN_MAX: u32 = 10_000;

impl Rules {
    pub(super) fn absorb_combination(
        &mut self,
        combination: &file::Combination,
        source: Source<'_>,
        wrong: &mut Wrong,
    ) {
        let mut named = Vec::new();
        let all = self.known(combination.all.get_ref(), &mut named, source, wrong);
        let any = self.known(&combination.any, &mut named, source, wrong);
        let asked = combination.all.get_ref().len() + combination.any.len();
        if combination.all.get_ref().is_empty() || asked < 2 {
            let expected = "two rules or more, at least one of them in `all`";
            wrong.add(source.invalid(&combination.all.span(), "fewer than two rules", expected));
        }
        let within = combination.within.as_ref();
        let within = within.map(|bytes| checked_number(bytes, "a distance", WITHIN_MAX, source));
        let within = within.and_then(|bytes| wrong.note(bytes)).map(|bytes| bytes as usize);
        let rule = self.rule(&head!(combination), source, wrong);
        self.combinations.push(Combination { rule, all, any, within });
    }

    /// The rules with these ids. `named`: those that the combination names before them.
    fn known(
        &self,
        ids: &[Spanned<String>],
        named: &mut Vec<usize>,
        source: Source<'_>,
        wrong: &mut Wrong,
    ) -> Vec<usize> {
        let mut rules = Vec::new();
        for id in ids {
            match self.rules.iter().position(|rule| rule.id == *id.get_ref()) {
                Some(rule) if named.contains(&rule) => {
                    let found = format!("the rule {:?} a second time", id.get_ref());
                    wrong.add(source.invalid(&id.span(), found, "each rule once"));
                }
                Some(rule) => {
                    named.push(rule);
                    rules.push(rule);
                }
                // The mistake was reported at the rule.
                None if self.broken.contains(id.get_ref()) => {}
                None => {
                    let found = format!("the unknown rule {:?}", id.get_ref());
                    wrong.add(source.invalid(&id.span(), found, "the id of a rule above"));
                }
            }
        }
        rules
    }
}
