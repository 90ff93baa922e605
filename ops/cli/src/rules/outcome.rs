//! The results for the rows of a file.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_core::verdict::Review;

use super::figures::Figures;
use super::row::Row;

/// The results for one file's rows.
#[derive(Debug, Serialize)]
pub(super) struct EvalOutcome<'a> {
    pub(super) file: String,
    pub(super) ruleset: &'a str,
    #[serde(flatten)]
    pub(super) figures: Figures,
    pub(super) lang: BTreeMap<String, Figures>,
    pub(super) kind: BTreeMap<String, Figures>,
    #[serde(skip)]
    pub(super) wrong: Vec<Wrong>,
}

/// A row that did not get what it should.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) row: Row,
    pub(super) review: Review,
}
