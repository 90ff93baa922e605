//! The categories: from which sums on they hold or reject, and what else counts for them.

use toml::Spanned;

use super::{Category, Rules, WEIGHT_MAX};
use crate::check::{checked_id, checked_number};
use crate::error::{RulesError, Source, Wrong};
use crate::file::{self, Number};

impl Rules {
    /// Takes in a category with its thresholds. One that exists already keeps what a file does not mention besides
    /// them.
    pub(super) fn absorb_category(
        &mut self,
        name: &Spanned<String>,
        thresholds: &file::Thresholds,
        source: Source<'_>,
    ) -> Result<(), RulesError> {
        let name_text = checked_id(name, "a category", source)?;
        let bound = |sum: &Option<Spanned<Number>>| {
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
        if thresholds.urgent == Some(true) && (hold.is_none() || reject.is_some()) {
            let found = format!("the urgent category {name_text:?} that rejects, or does not hold");
            return Err(source.invalid(&name.span(), found, "`hold` without `reject`: a person is to see it"));
        }
        let known = self.category(&name_text).unwrap_or_else(|| {
            self.categories.push(Category { name: name_text, ..Category::default() });
            self.categories.len() - 1
        });
        let category = &mut self.categories[known];
        (category.hold, category.reject) = (hold, reject);
        category.urgent = thresholds.urgent.unwrap_or(category.urgent);
        Ok(())
    }

    /// Notes what is added to a category. To be called when all categories of the file are known.
    pub(super) fn absorb_with(
        &mut self,
        name: &Spanned<String>,
        thresholds: &file::Thresholds,
        source: Source<'_>,
        wrong: &mut Wrong,
    ) {
        let (Some(others), Some(category)) = (&thresholds.with, self.category(name.get_ref())) else { return };
        let other = |other: &Spanned<String>| {
            let known = self.category(other.get_ref()).filter(|known| *known != category);
            let found = || format!("{:?} in `with`", other.get_ref());
            known.ok_or_else(|| source.invalid(&other.span(), found(), "the name of another category that is declared"))
        };
        let mut with: Vec<usize> = others.iter().filter_map(|name| wrong.note(other(name))).collect();
        with.sort_unstable();
        with.dedup();
        self.categories[category].with = with;
    }

    /// Where a category with this name is.
    pub(super) fn category(&self, name: &str) -> Option<usize> {
        self.categories.iter().position(|known| known.name == name)
    }
}
