//! How precise rules are by what people decided, and what a changed file would turn: a known set, with known numbers.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::Desk;
use crate::support::{post, text};

const RULES: &str = "[categories.spam]\nhold = 50\nreject = 100\n[[list]]\nid = \"ads\"\ncategory = \"spam\"\nweight = 60\n\
                     terms = [\"watches\"]\n";
/// Lets one phrase pass, rejects another, and holds what nothing spoke against before.
const CANDIDATE: &str = "[[list]]\nid = \"more\"\ncategory = \"spam\"\nweight = 60\nterms = [\"clocks\"]\n\
                         [[list]]\nid = \"best\"\ncategory = \"spam\"\nweight = 110\nterms = [\"best watches\"]\n\
                         [[allow]]\nphrases = [\"watches birds\"]\n";
const TEST: &str = "[[test]]\ntext = \"he watches birds\"\nexpect = \"approved\"\n";

/// What rules spoke against, and what stands: each post with its title, those rules and the decision.
const DECIDED: [(&str, &[&str], &str); 7] = [
    ("he watches birds", &["a"], "approve"),
    ("cheap watches", &["a"], "reject"),
    ("a girl who watches birds, call now", &["a"], "reject"),
    ("best watches", &["a", "b"], "reject"),
    ("the best watches of my life", &["a", "b"], "approve"),
    ("clocks", &["b", "b"], "reject"),
    ("watches", &["A"], "approve"),
];

/// These, and what does not count: a decision that was undone, one under a blind second review, one on a post whose text
/// was erased, and a held post that nobody decided. Their ids, in the order of [`DECIDED`].
async fn known_set(desk: &Desk) -> Vec<String> {
    let mut ids = Vec::new();
    for (title, rules, decision) in DECIDED {
        let held = desk.held_by(&post(title), rules).await;
        if title.starts_with("the best") {
            let other = text(&desk.decided(&held.case, "reject", "ann").await, "decision");
            desk.review(&["undo", &other, "--as", "ann"]).await.ok();
        }
        desk.decided(&held.case, decision, "ann").await;
        ids.push(held.post);
    }
    let undone = desk.held_by(&post("undone"), &["c"]).await;
    let undone = text(&desk.decided(&undone.case, "reject", "ann").await, "decision");
    desk.review(&["undo", &undone, "--as", "ann"]).await.ok();
    let blind = desk.held_by(&post("blind"), &["a"]).await;
    desk.review(&["decide", &blind.case, "reject", "--as", "ann", "--second-reviews", "100"]).await.ok();
    let erased = desk.held_by(&post("erased"), &["a"]).await;
    desk.decided(&erased.case, "reject", "ann").await;
    desk.review(&["forget", &erased.post, "--as", "ann", "--reason", "a request", "--yes"]).await.ok();
    desk.held_by(&post("waiting"), &["a"]).await;
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn the_precision_of_each_rule_is_told_alone_and_with_others() {
    let desk = Desk::new().await;
    known_set(&desk).await;
    let lines = desk.review(&["measures", "--by", "rule", "--json"]).await.ok().lines();
    let of = |rule: &str| &lines.iter().find(|line| line["of"] == rule).expect("a line of each rule")["precision"];
    let counts = |rule: &str| {
        ["all", "alone", "with_others"].map(|which| {
            let share = &of(rule)[which];
            (share["rejected"].as_u64().expect("a count"), share["posts"].as_u64().expect("a count"))
        })
    };
    assert_eq!(counts("a"), [(3, 5), (2, 3), (1, 2)]);
    assert_eq!(counts("b"), [(2, 3), (1, 1), (1, 2)], "what found two things spoke once");
    assert_eq!(counts("A"), [(0, 1), (0, 1), (0, 0)], "capitals are others");
    assert_eq!(counts("c"), [(0, 0); 3], "nothing stands for its post");
    // Wilson's interval of 3 of 5, computed once more outside this program.
    let near = |value: &Value, wanted: f64| value.as_f64().is_some_and(|value| (value - wanted).abs() < 0.0001);
    let all = &of("a")["all"];
    assert!(near(&all["share"], 0.6) && near(&all["low"], 0.2307) && near(&all["high"], 0.8824), "{all}");
    assert_eq!(of("c")["alone"], json!({"posts": 0, "rejected": 0, "share": null, "low": null, "high": null}));
    let table = desk.review(&["measures", "--by", "rule"]).await.ok().stdout;
    let (heading, lines) = table.split_once('\n').expect("a table");
    let columns = ["OVERTURNED", "PRECISION", "ALONE", "WITH", "OTHERS", "WAITED"];
    assert!(heading.split_whitespace().collect::<Vec<_>>().windows(6).any(|words| words == columns), "{heading}");
    let line = lines.lines().find(|line| line.starts_with("a ")).expect("a line of the rule");
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("3 of 5 (60 %, 23–88) 2 of 3 (67 %, 21–94) 1 of 2 (50 %, 9–91)"), "{line}");
    let others = desk.review(&["measures", "--by", "queue", "--json"]).await.ok().lines();
    assert_eq!(others[0]["precision"], json!(null));
    let others = desk.review(&["measures", "--by", "queue"]).await.ok().stdout;
    assert!(others.contains("LAPSED") && !others.contains("PRECISION"), "{others}");
}

/// A file with this text, and its path.
fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_is_evaluated_and_tells_which_decisions_a_changed_file_would_turn() {
    let desk = Desk::new().await;
    let ids = known_set(&desk).await;
    let folder = tempfile::tempdir().expect("a folder");
    let rows = file(&folder, "decided.ndjson", &desk.review(&["export"]).await.ok().stdout);
    let site = file(&folder, "site.toml", RULES);
    let candidate = file(&folder, "copy.toml", &format!("{RULES}{CANDIDATE}{TEST}"));
    let sluice = async |args: &[&str]| desk.ground.sluice(&[&["rules"], args].concat()).await;

    let eval = sluice(&["eval", &rows, "--rules", &site, "--json"]).await.ok().object();
    assert_eq!((&eval["rows"], &eval["flagged"], &eval["recall"]), (&json!(7), &json!(6), &json!(0.75)), "{eval}");

    let compare = ["compare", &rows, "--rules", &site, "--candidate", &candidate];
    let told = sluice(&[&compare[..], &["--json"]].concat()).await.ok().object();
    let counts = ["rows", "changed", "turned", "tests"].map(|key| told[key].as_u64().expect("a count"));
    assert_eq!(counts, [7, 5, 2, 1], "{told}");
    let change = |now: &str, then: &str, [approved, rejected]: [u64; 2]| json!({"now": now, "then": then, "people_approved": approved, "people_rejected": rejected});
    let changes =
        [change("approved", "held", [0, 1]), change("held", "approved", [1, 1]), change("held", "rejected", [1, 1])];
    assert_eq!(told["changes"], json!(changes));
    let mut turned: Vec<_> =
        told["posts"].as_array().expect("a list").iter().filter(|post| post["turned"] == true).collect();
    turned.sort_by_key(|post| text(post, "then"));
    let expected = [(&ids[2], "rejected", "approved"), (&ids[4], "approved", "rejected")];
    let found: Vec<_> = turned.iter().map(|one| (text(one, "post"), text(one, "people"), text(one, "then"))).collect();
    assert_eq!(found, expected.map(|(post, people, then)| (post.clone(), people.to_owned(), then.to_owned())));

    let page = sluice(&compare).await.ok().stdout;
    let line =
        format!("{}: approved instead of held; people rejected it: a girl who watches birds, call now | what", ids[2]);
    assert!(
        page.contains(&line) && page.contains("rows with another verdict: 5; decisions that are turned: 2\n"),
        "{page}"
    );
    assert!(page.find("turned: people") < page.find("others"), "{page}");
    let short = sluice(&[&compare[..], &["--shown", "1"]].concat()).await.ok().stdout;
    let and_more = ["and 1 more: --shown 2 shows all", "and 2 more: --shown 3 shows all"];
    assert!(and_more.iter().all(|more| short.contains(more)) && short.matches("instead of").count() == 2, "{short}");
    assert!(page.ends_with("No file and no decision was changed.\n"), "{page}");
    let itself = sluice(&["compare", &rows, "--rules", &site, "--candidate", &site]).await.ok();
    assert!(itself.stdout.contains("rows with another verdict: 0; decisions that are turned: 0"), "{itself:?}");
    assert!(itself.stderr.contains("site.toml has no [[test]]"), "{itself:?}");

    let failing = file(&folder, "failing.toml", &format!("{RULES}{TEST}"));
    let refused = sluice(&["compare", &rows, "--rules", &site, "--candidate", &failing]).await.exits(1);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("failing.toml:10:8"), "{refused:?}");
    let bad = file(&folder, "bad.ndjson", "{\"text\":\"clocks\",\"expect\":\"clean\"}\n{\"text\":1}\n");
    let some = sluice(&["compare", &bad, "--rules", &site, "--candidate", &candidate]).await.exits(3);
    assert!(some.stderr.contains("bad.ndjson:2: not a valid row"), "{some:?}");
    assert!(some.stdout.contains("bad.ndjson:1: held instead of approved; people approved it: clocks\n"), "{some:?}");
}
