//! Texts of each kind that strangers showed, in both languages: what should be flagged is, and what only looks like it is
//! not.
use serde::Deserialize;
use sluice_core::verdict::Verdict::{Approved, Held, Rejected};
use sluice_review::RuleSet;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    text: String,
    expect: String,
    lang: String,
    kind: String,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("kinds.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn each_text_gets_what_its_kind_should_get() {
    let rules = RuleSet::builtin();
    let flagged = |row: &Row| rules.review_text("", &row.text).verdict != Approved;
    let wrong: Vec<_> = rows().into_iter().filter(|row| flagged(row) != (row.expect == "flag")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn whoever_may_need_help_is_never_rejected_and_is_told_from_who_pushes_others() {
    let rules = RuleSet::builtin();
    for row in rows() {
        let review = rules.review_text("", &row.text);
        let urgent = review.scores.iter().any(sluice_core::verdict::Score::holds_urgently);
        assert_eq!(urgent, row.kind == "somebody needs help", "{row:?}");
        let insulted = rules.review_text("", &format!("{} Just kill yourself.", row.text));
        assert_eq!(insulted.verdict, if urgent { Held } else { Rejected }, "{row:?}");
    }
}

#[test]
fn each_kind_is_there_in_both_languages_where_both_have_it() {
    let rows = rows();
    let only_english = ["slurs that are something else"];
    for kind in rows.iter().map(|row| row.kind.as_str()).filter(|kind| !only_english.contains(kind)) {
        for lang in ["en", "zh"] {
            assert!(rows.iter().any(|row| row.kind == kind && row.lang == lang), "{kind} in {lang}");
        }
    }
}
