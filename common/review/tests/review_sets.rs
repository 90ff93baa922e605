//! How good the review is: sets of texts of which it is known what they should get, in two halves. Rules and code are
//! tuned on the texts in `tune` alone; those in `held-out` show how good they are on what nobody looked at.
//!
//! `base.toml` holds the terms that the disguised texts hide. The same figures, and which rows are wrong: `sluice rules
//! eval common/review/tests/review-sets/held-out/*.jsonl --rules common/review/tests/review-sets/base.toml`
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sluice_core::verdict::Verdict;
use sluice_review::RuleSet;

const HALVES: [&str; 2] = ["tune", "held-out"];

static BASE: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::load(&folder().join("base.toml")).unwrap_or_else(|error| panic!("{error}")));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    title: String,
    text: String,
    expect: String,
    lang: String,
    kind: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review-sets")
}

fn rows(half: &str, set: &str) -> Vec<Row> {
    let path = folder().join(half).join(format!("{set}.jsonl"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn verdict(row: &Row) -> Verdict {
    BASE.review_text(&row.title, &row.text).verdict
}

/// The share of the rows of a language that are flagged, with those that are not as they should be.
fn flagged(half: &str, set: &str, lang: &str) -> (f64, Vec<String>) {
    let rows: Vec<_> = rows(half, set).into_iter().filter(|row| row.lang == lang).collect();
    assert!(rows.len() >= 20, "a share of {} rows says little", rows.len());
    let count = rows.iter().filter(|row| verdict(row) != Verdict::Approved).count();
    let is_wrong = |row: &&Row| (verdict(row) == Verdict::Approved) != (row.expect == "clean");
    let wrong = rows.iter().filter(is_wrong).map(|row| format!("{}: {} {}", row.kind, row.title, row.text)).collect();
    (count as f64 / rows.len() as f64, wrong)
}

/// Every half has at least such a share of a set flagged.
#[track_caller]
fn at_least(set: &str, lang: &str, floor: f64) {
    for half in HALVES {
        let (share, wrong) = flagged(half, set, lang);
        assert!(share >= floor, "{half} {set} {lang}: only {share:.3} flagged, missed: {wrong:#?}");
    }
}

#[track_caller]
fn at_most(set: &str, lang: &str, ceiling: f64) {
    for half in HALVES {
        let (share, wrong) = flagged(half, set, lang);
        assert!(share <= ceiling, "{half} {set} {lang}: {share:.3} flagged: {wrong:#?}");
    }
}

#[test]
fn each_row_is_in_the_half_that_its_hash_names() {
    for half in HALVES {
        for row in ["disguised", "plain", "ordinary"].into_iter().flat_map(|set| rows(half, set)) {
            let first = Sha256::digest(format!("{}\n{}", row.title, row.text))[0];
            assert_eq!(HALVES[usize::from(first % 2)], half, "{row:?}");
        }
    }
}

#[test]
fn what_should_be_flagged_stands_in_the_sets_of_such_texts() {
    for half in HALVES {
        for (set, expect) in [("disguised", "flag"), ("plain", "flag"), ("ordinary", "clean")] {
            assert!(rows(half, set).iter().all(|row| row.expect == expect), "{half} {set}");
        }
    }
}

#[test]
fn of_disguised_chinese_terms_93_in_100_are_found() {
    at_least("disguised", "zh", 0.93);
}

#[test]
fn of_disguised_english_terms_85_in_100_are_found() {
    at_least("disguised", "en", 0.85);
}

#[test]
fn of_abuse_and_spam_as_people_write_it_90_in_100_are_found() {
    at_least("plain", "zh", 0.90);
    at_least("plain", "en", 0.90);
}

#[test]
fn of_ordinary_chinese_texts_no_more_than_4_in_100_are_flagged() {
    at_most("ordinary", "zh", 0.04);
}

#[test]
fn of_ordinary_english_texts_no_more_than_5_in_100_are_flagged() {
    at_most("ordinary", "en", 0.05);
}

#[test]
fn of_ordinary_texts_no_more_than_1_in_100_is_rejected() {
    for half in HALVES {
        let rows = rows(half, "ordinary");
        let rejected: Vec<_> = rows.iter().filter(|row| verdict(row) == Verdict::Rejected).collect();
        assert!(rejected.len() * 100 <= rows.len(), "{half}: {rejected:#?}");
    }
}
