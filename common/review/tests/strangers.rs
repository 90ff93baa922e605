//! Texts by six hands that had seen neither the rules nor what these were learnt from: of what must be seen most is
//! found, and little of the rest.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use sluice_core::verdict::Verdict;
use sluice_review::{RuleSet, strangers};

#[derive(Debug, Deserialize)]
struct Row {
    text: String,
    expect: String,
}

/// The rows that three hands wrote in one language.
fn rows(lang: &str) -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers");
    let read = |hand: &str| {
        let path = folder.join(format!("{lang}-{hand}.jsonl"));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    };
    let all = ["a", "b", "c"].map(read).concat();
    all.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// What share of the rows that expect this is held or rejected, in percent.
fn flagged(rows: &[Row], expect: &str, verdict: impl Fn(&str) -> Verdict) -> f64 {
    let all: Vec<&Row> = rows.iter().filter(|row| row.expect == expect).collect();
    let flagged = all.iter().filter(|row| verdict(&row.text) != Verdict::Approved).count();
    100.0 * flagged as f64 / all.len() as f64
}

#[test]
fn of_what_strangers_write_most_is_found_and_little_else() {
    let rules = RuleSet::builtin();
    for (lang, least) in [("zh", 70.0), ("en", 75.0)] {
        let rows = rows(lang);
        assert!(rows.len() >= 480, "{lang}: {}", rows.len());
        let found = flagged(&rows, "flag", |text| rules.review_text("", text).verdict);
        let alarms = flagged(&rows, "clean", |text| rules.review_text("", text).verdict);
        assert!(found >= least && alarms <= 4.0, "{lang}: {found:.1} % found, {alarms:.1} % false alarms");
        let rejected = |row: &&Row| rules.review_text("", &row.text).verdict == Verdict::Rejected;
        assert_eq!(rows.iter().filter(|row| row.expect == "clean").find(rejected).map(|row| &row.text), None);
    }
}

#[test]
fn a_strangers_texts_are_read_more_strictly() {
    let rules = RuleSet::builtin();
    let strictly = |text: &str| strangers::held(rules.review_text("", text), 85, None).verdict;
    for lang in ["zh", "en"] {
        let rows = rows(lang);
        let [found, more] = [&|text: &str| rules.review_text("", text).verdict, &strictly as &dyn Fn(&str) -> Verdict]
            .map(|verdict| flagged(&rows, "flag", verdict));
        let alarms = flagged(&rows, "clean", strictly);
        assert!(more > found && alarms <= 5.0, "{lang}: {found:.1} and {more:.1} % found, {alarms:.1} % false alarms");
    }
}

#[test]
fn what_says_next_to_nothing_and_what_is_in_another_language_is_not_suspected() {
    let rules = RuleSet::builtin();
    for text in [
        "test post",
        "post 1",
        "body 3",
        "benchmark post number 5",
        "message number 12 of 500",
        "idempotent post",
        "post number 117 with some content 168425",
        "accepted post 1 2 3",
        "load test 00042",
        "tick 2026-12-01T10:00:00Z",
        "3f1c9a52-7d1e-4c55-9b60-0d6ad2b7c1aa",
        "N4BdxOFWSuA8SADbpnIrSLeZBoBi4b7ux5JY3qhD",
        "第12条帖子，内容随便写写",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "read simple little going took until follow many",
        "123",
        "ok",
        "+1",
        "$5",
        "666",
        "hi",
        "好",
        "谢谢",
        "10:30",
        "0612345678",
        "v1.2.3",
        "me too",
        "😀😀😀",
        "https://github.com/rust-lang/rust",
        "www.wikipedia.org",
        "a@b.org",
        "Hola a todos, alguien sabe si el mercado abre mañana por la mañana? Quiero comprar verduras frescas.",
        "Bonjour, je cherche une recette de gâteau au chocolat sans beurre, merci d'avance pour vos conseils.",
        "Ich habe gestern mein altes Fahrrad repariert, die Bremsen funktionieren wieder wie neu.",
        "Ontem assisti ao jogo com meus irmãos, foi muito divertido e barulhento.",
        "Привет, кто-нибудь знает, во сколько завтра открывается библиотека?",
        "今日は天気がいいので散歩に行きました。桜がきれいでした。",
        "مرحبا، هل يعرف أحد متى تفتح المكتبة غدا؟",
    ] {
        assert_eq!(strangers::held(rules.review_text("", text), 85, None).verdict, Verdict::Approved, "{text}");
    }
}

#[test]
fn a_file_may_leave_out_what_looks_suspicious_or_take_it_alone() {
    let text = "I drive past your street every thursday mate. Keep talking. One thursday i wont drive past.";
    let verdict = |rules: &str| RuleSet::parse(rules, "r.toml").expect("valid rules").review_text("", text).verdict;
    assert_eq!(
        verdict(
            "extend = \"builtin\"\nsuspected = false\n[[list]]\nid = \"x\"\ncategory = \"x\"\nterms = [\"xyzzy\"]\n"
        ),
        Verdict::Approved
    );
    assert_eq!(verdict("suspected = true\n"), Verdict::Held);
    let rules = |rules: &str| RuleSet::parse(rules, "r.toml").map(|rules| rules.id().to_owned());
    assert_ne!(
        rules("suspected = true\nname = \"a\"\n").expect("valid"),
        rules("[categories.a]\nhold = 1\n").expect("valid")
    );
    assert!(rules("suspected = false\n").is_err(), "a file without any rules");
}
