//! Rules files: what they can say, and how they are refused, by line and column.
use std::fs;

use sluice_core::post::{Post, PostId};
use sluice_core::verdict::Verdict::{Approved, Held, Rejected};
use sluice_core::verdict::{Review, Verdict};
use sluice_review::{RuleSet, RulesError};
use time::OffsetDateTime;

fn parsed(text: &str) -> RuleSet {
    RuleSet::parse(text, "site.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(text: &str) -> String {
    RuleSet::parse(text, "site.toml")
        .map(|set| set.id().to_owned())
        .expect_err(&format!("the file should be refused: {text}"))
        .to_string()
}

fn review(rules: &RuleSet, content: &str) -> Review {
    rules.review(&Post {
        id: PostId::from_key("a post"),
        title: "a title".to_owned(),
        content: content.to_owned(),
        author: None,
        submitted_at: OffsetDateTime::UNIX_EPOCH,
    })
}

fn verdict(rules: &RuleSet, content: &str) -> Verdict {
    review(rules, content).verdict
}

const SPAM: &str = "[categories.spam]\nhold = 50\nreject = 100\n";

#[test]
fn weights_add_up_by_category_and_the_strongest_verdict_wins() {
    let rules = parsed(
        r#"
        [categories.fish]
        hold = 2
        [categories.fowl]
        hold = 3
        reject = 6
        [[list]]
        id = "fish"
        category = "fish"
        weight = 1
        terms = ["cod", "herring"]
        [[list]]
        id = "fowl"
        category = "fowl"
        weight = 3
        terms = ["duck", "goose"]
        "#,
    );
    assert_eq!(verdict(&rules, "cod"), Approved);
    assert_eq!(verdict(&rules, "cod, herring"), Held);
    assert_eq!(verdict(&rules, "cod and duck"), Held);
    assert_eq!(verdict(&rules, "duck and goose"), Rejected);
    assert_eq!(verdict(&rules, "cod, herring, duck and goose"), Rejected);
    assert_eq!(verdict(&rules, "duck, duck, duck"), Held);
}

#[test]
fn word_edges_can_be_done_without() {
    let list = |words: &str| {
        let head = "[[list]]\nid = \"metal\"\ncategory = \"spam\"\nweight = 50\n";
        parsed(&format!("{SPAM}{head}{words}terms = [\"tin\"]"))
    };
    assert_eq!(verdict(&list(""), "sitting"), Approved);
    assert_eq!(verdict(&list("words = true\n"), "sitting"), Approved);
    assert_eq!(verdict(&list("words = false\n"), "sitting"), Held);
    assert_eq!(verdict(&list(""), "TÍN!"), Held);
}

#[test]
fn a_hit_inside_an_allowed_phrase_is_dropped_and_one_beside_it_is_not() {
    let rules = parsed(&format!(
        "{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 50\nterms = [\"大麻\", \"buy now\"]\n\
         [[pattern]]\nid = \"b\"\ncategory = \"spam\"\nweight = 50\nregex = 'call \\d{{4}}'\n\
         [[allow]]\nphrases = [\"大麻烦\", \"why buy now\", \"do not call 0000\"]"
    ));
    assert_eq!(verdict(&rules, "大麻烦来了"), Approved);
    assert_eq!(verdict(&rules, "大麻烦，大麻"), Held);
    assert_eq!(verdict(&rules, "Why buy now?"), Approved);
    assert_eq!(verdict(&rules, "whywhy buy now?"), Held, "an allowed phrase has word edges too");
    assert_eq!(verdict(&rules, "do not call 0000"), Approved);
    assert_eq!(verdict(&rules, "do not call 0000, call 1111"), Held);
}

#[test]
fn a_file_can_build_on_the_built_in_rules() {
    let rules = parsed(
        "extend = \"builtin\"\nname = \"our-site\"\n[categories.threat]\nhold = 1000\n\
         [[list]]\nid = \"ours\"\ncategory = \"spam\"\nweight = 60\nterms = [\"蓝色小药瓶\"]\n\
         [[allow]]\nphrases = [\"wholesale prices\"]",
    );
    assert!(rules.id().starts_with("our-site@"), "{}", rules.id());
    assert_eq!(verdict(&rules, "卖蓝色小药瓶"), Held, "its own");
    assert_eq!(verdict(&rules, "go kill yourself"), Rejected, "the built-in");
    assert_eq!(verdict(&rules, "我要弄死你全家"), Approved, "its own thresholds");
    assert_eq!(review(&rules, "wholesale prices").reasons, [], "a built-in term, allowed");
    let alone = parsed(SPAM);
    assert_eq!(verdict(&alone, "go kill yourself"), Approved, "without `extend` there are no rules");
}

#[test]
fn the_id_names_the_text_that_was_read() {
    let id = |text: &str, origin: &str| RuleSet::parse(text, origin).map(|set| set.id().to_owned()).expect("in order");
    let name = |origin: &str| id(SPAM, origin).split_once('@').map(|(name, _)| name.to_owned()).expect("a name");
    assert_eq!([name("/etc/sluice/site.toml"), name("规则.toml"), name("")], ["site", "--", "rules"]);
    let commented = |comment: &str| id(&format!("{SPAM}# {comment}"), "a.toml");
    assert_eq!(commented("one"), commented("one"));
    assert_ne!(commented("one"), commented("two"));
    assert_ne!(id(&format!("extend = \"builtin\"\n{SPAM}"), "a.toml"), id(SPAM, "a.toml"));
}

#[test]
fn every_mistake_is_named_by_line_and_column() {
    let list = |body: &str| format!("{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 50\n{body}");
    let pattern =
        |regex: &str| format!("{SPAM}[[pattern]]\nid = \"a\"\ncategory = \"spam\"\nweight = 50\nregex = {regex}");
    let signal = |is: &str, from: u32| {
        format!("{SPAM}[[signal]]\nid = \"a\"\ncategory = \"spam\"\nis = \"{is}\"\nfrom = {from}")
    };
    for (text, place, found, expected) in [
        (list("terms = [\"ok\", \"\"]"), "8:16", "empty term", "two characters"),
        (list("terms = [\"ok\", \"词\"]"), "8:16", "one-character term \"词\"", "two characters"),
        (list("terms = [\n  \"ok\",\n  \"Ｘ\"]"), "10:3", "one-character term \"Ｘ\"", "two characters"),
        (list("terms = [\"\\u200B\\u200B\"]"), "8:10", "empty term", "two characters"),
        (list("terms = []"), "8:9", "no term", "at least one"),
        (list("terms = [\"ok\"]\nwieght = 3"), "9:1", "unknown field `wieght`", "`weight`"),
        (list("terms = \"ok\""), "8:9", "string \"ok\"", "a sequence"),
        (
            list("terms = [\"ok\"]\n[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 1\nterms = [\"no\"]"),
            "10:6",
            "\"a\" a second time",
            "no other rule",
        ),
        (list("terms = [\"ok\""), "8:14", "", ""),
        (
            format!("{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 2000\nterms = [\"ok\"]"),
            "7:10",
            "2000",
            "from 1 to 100",
        ),
        (
            format!("{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = -3\nterms = [\"ok\"]"),
            "7:10",
            "-3",
            "from 1 to 100",
        ),
        (
            format!("{SPAM}[[list]]\nid = \"a b\"\ncategory = \"spam\"\nweight = 5\nterms = [\"ok\"]"),
            "5:6",
            "\"a b\"",
            "a rule's id",
        ),
        (
            format!("{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\""),
            "5:6",
            "a list without terms",
            "`terms`, `file` or both",
        ),
        (
            "[categories.spam]\nhold = 100\nreject = 50".to_owned(),
            "1:13",
            "hold = 100 with reject = 50",
            "below `reject`",
        ),
        ("[categories.spam]".to_owned(), "1:13", "without a threshold", "`hold`, `reject` or both"),
        ("[categories.spam]\nhold = 0".to_owned(), "2:8", "0", "from 1 to 1000"),
        ("\n\n[categories.spam]\nblock = 3".to_owned(), "4:1", "unknown field `block`", "`hold`"),
        ("extend = \"default\"".to_owned(), "1:10", "unknown variant `default`", "`builtin`"),
        ("extend = \"builtin\"\nname = \"\"".to_owned(), "2:8", "\"\"", "a name of 1 to 40"),
        ("mode = 1".to_owned(), "1:1", "unknown field `mode`", "`extend`"),
        ("[lists]".to_owned(), "1:2", "unknown field `lists`", "`list`"),
        (String::new(), "1:1", "without any rules", "extend = \"builtin\""),
        ("# all of it is commented out".to_owned(), "1:1", "without any rules", "a rule"),
        (signal("caps", 700), "8:8", "700", "a share in percent from 1 to 100"),
        (signal("digits", 101), "8:8", "101", "from 1 to 100"),
        (signal("symbols", 0), "8:8", "0", "from 1 to 100"),
        (
            format!("{}\n[[combination]]\nid = \"c\"\ncategory = \"spam\"\nall = [\"a\", \"a\"]", signal("caps", 70)),
            "12:13",
            "\"a\" a second time",
            "each rule once",
        ),
        ("[[test]]\ntext = \"x\"\nexpect = \"fine\"".to_owned(), "3:10", "unknown variant `fine`", "`approved`"),
        (pattern("'(ab'"), "8:9", "unclosed group", "a regular expression"),
        (pattern("'a*'"), "8:9", "matches the empty text", "at least one character"),
        (pattern("'buy WeChat'"), "8:9", "'W' at character 5", "\"w\""),
        (pattern("'微信：'"), "8:9", "'：' at character 3", "\":\""),
        (pattern("'a.c'"), "8:9", "`.` at character 2", "`(?u:.)`, which stands for characters"),
        (pattern("'.*'"), "8:9", "`.` at character 1", "`(?u:.)`"),
        (pattern("'x[^a]'"), "8:9", "`[^a]` at character 2", "`(?u:[^a])`"),
        (pattern("'\\W+'"), "8:9", "`\\W` at character 1", "`(?u:\\W)`"),
        (pattern("'我[微威]信'"), "8:9", "`[微威]` at character 2", "`(?u:[微威])`"),
        (pattern("'(?u:.*)'"), "8:9", "matches the empty text", "at least one character"),
        (pattern("'spam|'"), "8:9", "matches the empty text", "at least one character"),
        (pattern("'(?u:.){1,2000}'"), "8:9", "too large", "at most"),
    ] {
        let refusal = refusal(&text);
        assert!(refusal.starts_with(&format!("site.toml:{place}: ")), "{text}\n=> {refusal}");
        assert!(refusal.contains(found) && refusal.contains(expected), "{text}\n=> {refusal}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_in_one_go_and_each_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("site.toml");
    fs::write(folder.path().join("empty.txt"), "# nothing yet\n").expect("the list is written");
    let text = format!(
        "{SPAM}[[list]]\nid = \"a\"\ncategory = \"spam\"\nweight = 2000\nterms = [\"x\", \"ok\", \"\"]\n\
         [[list]]\nid = \"b\"\ncategory = \"spam\"\nwieght = 3\nterms = [\"fine\"]\n\
         [[pattern]]\nid = \"p\"\ncategory = \"spam\"\nregex = '(ab'\n\
         [[list]]\nid = \"f\"\ncategory = \"spam\"\nfile = \"empty.txt\"\n\
         [[combination]]\nid = \"c\"\ncategory = \"spam\"\nall = [\"a\", \"nobody\"]\n"
    );
    fs::write(&path, text).expect("the file is written");
    let mistakes = RuleSet::check(&path).expect_err("there are six");
    let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let expected = [
        (":7:10: found 2000", "a weight"),
        (":8:10: found the one-character term", ""),
        (":8:21: found the empty term", ""),
        (":12:1: unknown field `wieght`", ""),
        (":17:9: found a pattern that cannot be read: unclosed group at character 1", ""),
        (":21:8: found no term in", "empty.txt"),
        (":25:13: found the unknown rule \"nobody\"", ""),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, (place, what)) in told.iter().zip(expected) {
        assert!(told.contains(&format!("site.toml{place}")) && told.contains(what), "{told}");
    }

    fs::write(&path, "[[list\nid = \"a\"\n[categories.x]\nhold = = 3\n").expect("the file is written");
    let mistakes = RuleSet::check(&path).expect_err("it is no TOML");
    let lines: Vec<_> = mistakes.iter().filter_map(|error| error.place().map(|place| place.line)).collect();
    assert!(lines.contains(&1) && lines.contains(&4), "{mistakes:#?}");
}

#[test]
fn where_one_line_must_do_it_says_how_many_mistakes_there_are() {
    let pattern = |id: &str| format!("[[pattern]]\nid = \"{id}\"\ncategory = \"spam\"\nregex = '('\n");
    let one = refusal(&format!("{SPAM}{}", pattern("a")));
    assert!(!one.contains("more error"), "{one}");
    let three = refusal(&format!("{SPAM}{}{}{}", pattern("a"), pattern("b"), pattern("c")));
    assert!(three.contains(":4:") || three.contains(":7:"), "{three}");
    assert!(three.ends_with("(and 2 more errors; `sluice rules check` lists them all)"), "{three}");
}

#[test]
fn only_regular_files_are_read_and_only_small_ones() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    let rules = folder.path().join("site.toml");
    let refusal = |path: &std::path::Path| RuleSet::load(path).expect_err("it is refused").to_string();
    assert!(refusal(&pipe).contains("a pipe") && refusal(folder.path()).contains("a folder"));
    assert!(refusal(std::path::Path::new("/dev/zero")).contains("a device"));
    let list = "[[list]]\nid = \"a\"\ncategory = \"spam\"\nfile = \"pipe\"";
    fs::write(&rules, format!("{SPAM}{list}")).expect("the file is written");
    assert!(refusal(&rules).contains(":7:8: ") && refusal(&rules).contains("a pipe"), "{}", refusal(&rules));
    fs::File::create(&rules).and_then(|file| file.set_len(17 << 20)).expect("a large file without content");
    assert!(refusal(&rules).contains("larger than"), "{}", refusal(&rules));
}

#[test]
fn what_would_find_nearly_every_post_is_warned_of_and_what_can_never_decide() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("site.toml");
    let rule = |kind: &str, id: &str, body: &str| format!("[[{kind}]]\nid = \"{id}\"\ncategory = \"spam\"\n{body}\n");
    let text = [
        "[categories.spam]\nhold = 50\nreject = 9000\n",
        &rule("pattern", "everything", "regex = '(?u:.)'"),
        &rule("pattern", "letters", "regex = '[a-z]+'"),
        &rule("list", "greeting", "terms = [\"good morning\", \"gnome outlet\"]"),
        &rule("signal", "shouting", "is = \"caps\"\nfrom = 1"),
        &rule("link", "hosts", "hosts = [\"com\", \"gnomes.example.com\"]"),
        &rule("pattern", "phone", "regex = 'call 0800-\\d{6}'"),
        "[[allow]]\nhosts = [\"co.uk\", \"localhost\"]\n",
    ]
    .concat();
    fs::write(&path, text).expect("the file is written");
    let checked = RuleSet::check(&path).expect("it is in order");
    let told: Vec<_> = checked.warnings.iter().map(|warning| warning.message.as_str()).collect();
    let expected = [
        "\"spam\" never rejects",
        "\"everything\" matches",
        "\"letters\" matches",
        "\"greeting\" matches \"Good morning\"",
        "\"shouting\" matches",
        "all sites below \"com\" are listed",
        "all sites below \"co.uk\" are allowed",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert!(told.iter().zip(expected).all(|(told, expected)| told.contains(expected)), "{told:#?}");

    fs::write(&path, SPAM).expect("the file is written");
    let checked = RuleSet::check(&path).expect("it is in order");
    assert!(checked.warnings.iter().any(|warning| warning.message.contains("every post is approved")));
}

#[test]
fn an_allowed_pattern_that_takes_whole_texts_is_warned_of() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("site.toml");
    let warned = |pattern: &str| {
        let rule = "[[list]]\nid = \"a\"\ncategory = \"spam\"\nterms = [\"gnome outlet\"]\n";
        fs::write(&path, format!("{SPAM}{rule}[[allow]]\npatterns = ['{pattern}']\n")).expect("the file is written");
        let checked = RuleSet::check(&path).expect("it is in order");
        checked.warnings.iter().any(|warning| warning.message.contains("next to nothing would count"))
    };
    assert!(warned("(?u:.){5,300}"));
    assert!(warned("good morning(?u:.){0,300}"));
    assert!(!warned("the (?:word|term) [a-z]+"));
}

#[test]
fn a_rule_of_an_undeclared_category_and_without_a_weight_holds_by_itself() {
    let rules = parsed("[[list]]\nid = \"a\"\ncategory = \"ham\"\nterms = [\"ok\", \"too\"]");
    assert_eq!((verdict(&rules, "ok"), verdict(&rules, "ok too"), verdict(&rules, "no")), (Held, Held, Approved));
    let sum = review(&rules, "ok").scores.first().map(|score| (score.sum, score.hold, score.reject));
    assert_eq!(sum, Some((50, Some(50), None)));
}

#[test]
fn patterns_may_hold_operators_and_chinese() {
    let rules = parsed(&format!(
        "{SPAM}[[pattern]]\nid = \"a\"\ncategory = \"spam\"\nweight = 50\nregex = '(?u:[加找])我\\s?(?u:\\W?)聊\\d'"
    ));
    assert_eq!(verdict(&rules, "请找我 ~聊8"), Held);
    assert_eq!(verdict(&rules, "请问我 ~聊8"), Approved);
}

#[test]
fn a_file_whose_own_test_fails_is_refused_with_the_case() {
    let text = format!(
        "{SPAM}[[list]]\nid = \"ads\"\ncategory = \"spam\"\nweight = 60\nterms = [\"buy now\"]\n\
         [[test]]\ntext = \"hello\"\nexpect = \"approved\"\n\
         [[test]]\ntitle = \"Buy now\"\ntext = \"please\"\nexpect = \"approved\""
    );
    let refusal = refusal(&text);
    assert_eq!(refusal, "site.toml:14:8: this test expects approved, but the rules say held (by ads \"Buy now\")");
    let refused = RuleSet::parse(&format!("{SPAM}[[test]]\ntext = \"x\"\nexpect = \"held\""), "t.toml");
    let refused = refused.expect_err("its test fails").first;
    assert!(matches!(refused, RulesError::TestFailed { expected: Held, .. }), "{refused:?}");
}

#[test]
fn a_file_is_read_from_disk_and_its_name_stands_in_the_id() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("house-rules.toml");
    fs::write(&path, SPAM).expect("the file is written");
    let set = RuleSet::load(&path).expect("the file is in order");
    assert!(set.id().starts_with("house-rules@"), "{}", set.id());

    fs::write(&path, b"# caf\xE9").expect("the file is written");
    let refusal = RuleSet::load(&path).map(|set| set.id().to_owned()).expect_err("it is not UTF-8").to_string();
    assert!(refusal.ends_with("house-rules.toml:1:6: found the byte 0xE9; expected UTF-8 text"), "{refusal}");

    let missing = folder.path().join("none.toml");
    let refusal = RuleSet::load(&missing).map(|set| set.id().to_owned()).expect_err("there is no file").to_string();
    assert!(refusal.contains("none.toml") && refusal.contains("No such file"), "{refusal}");
}

#[test]
fn the_example_in_the_documentation_is_sound() {
    let page = include_str!("../../../docs/RULES.md");
    let example = page.split("```").find_map(|block| block.strip_prefix("toml\n")).expect("the page has an example");
    let rules = parsed(example);
    assert_eq!(verdict(&rules, "see www.gnomes.example.com/shop"), Held);
    assert_eq!(verdict(&rules, "the gnome club meets"), Approved, "a rule in shadow mode decides nothing");
    let told = review(&rules, "CALL 0800-123456, DO IT NOW, CALL ALL OF US").scores;
    assert_eq!(
        told.first().map(|score| score.sum),
        Some(105),
        "the hotline, the shouting, both together, and a built-in rule"
    );
}
