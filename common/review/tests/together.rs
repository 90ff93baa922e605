//! Categories that add to one another, rules that match together, urgent categories and allowed patterns: what a rules
//! file can say about them, and how mistakes are refused.
use sluice_core::verdict::Review;
use sluice_core::verdict::Verdict::{self, Approved, Held, Rejected};
use sluice_review::RuleSet;

const CATEGORIES: &str = r#"
[categories.contact]
hold = 60
[categories.drugs]
hold = 50
reject = 100
with = ["contact"]
[[list]]
id = "number"
category = "contact"
weight = 30
terms = ["call the number"]
[[list]]
id = "drug"
category = "drugs"
weight = 60
terms = ["green powder", "blue powder"]
[[list]]
id = "slang"
category = "drugs"
weight = 20
terms = ["snow"]
"#;

fn review(rules: &str, content: &str) -> Review {
    let rules = RuleSet::parse(rules, "site.toml").unwrap_or_else(|error| panic!("{error}"));
    rules.review_text("", content)
}

fn verdict(rules: &str, content: &str) -> Verdict {
    review(rules, content).verdict
}

#[track_caller]
fn refused(rules: &str, told: &str) {
    let error = RuleSet::parse(rules, "site.toml").expect_err("it should be refused").to_string();
    assert!(error.contains(told), "{error}");
}

#[test]
fn another_category_adds_to_a_sum_and_neither_makes_one_nor_rejects() {
    assert_eq!(verdict(CATEGORIES, "snow today"), Approved);
    assert_eq!(verdict(CATEGORIES, "call the number"), Approved);
    assert_eq!(verdict(CATEGORIES, "snow, call the number"), Held);
    assert_eq!(verdict(CATEGORIES, "green powder, snow, call the number"), Held, "110 together, 80 of its own");
    assert_eq!(verdict(CATEGORIES, "green powder, blue powder"), Rejected);
}

#[test]
fn the_reasons_that_add_to_the_decision_come_before_those_that_do_not() {
    let rules = format!(
        "{CATEGORIES}[categories.noise]\nhold = 90\n[[list]]\nid = \"noise\"\ncategory = \"noise\"\nweight = 80\n\
         terms = [\"hear hear\"]\n"
    );
    let review = review(&rules, "hear hear, snow, call the number");
    let rules: Vec<_> = review.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["number", "slang", "noise"]);
}

#[test]
fn a_file_that_changes_a_thresholds_keeps_what_is_added_to_it() {
    let site = "extend = \"builtin\"\n[categories.drugs]\nhold = 40\nreject = 500\n[[test]]\n\
                text = \"大麻，加Q 88112233\"\nexpect = \"held\"\n";
    assert_eq!(verdict(site, "大麻，加Q 88112233"), Held);
}

#[test]
fn only_another_declared_category_can_be_added() {
    refused("[categories.a]\nhold = 5\nwith = [\"a\"]\n", "\"a\" in `with`");
    refused("[categories.a]\nhold = 5\nwith = [\"b\"]\n", "\"b\" in `with`");
}

/// A combination of the lists `a` to `c`, with these keys.
fn combination(keys: &str) -> String {
    let list = |id: &str| format!("[[list]]\nid = \"{id}\"\ncategory = \"mild\"\nweight = 1\nterms = [\"{id}{id}\"]\n");
    let lists = ["a", "b", "c"].map(list).concat();
    format!("[categories.mild]\nhold = 900\n{lists}[[combination]]\nid = \"all\"\ncategory = \"strong\"\n{keys}\n")
}

#[test]
fn a_combination_asks_for_all_and_for_one_of_any() {
    let rules = combination(
        r#"all = ["a"]
any = ["b", "c"]"#,
    );
    assert_eq!(verdict(&rules, "aa"), Approved);
    assert_eq!(verdict(&rules, "bb cc"), Approved);
    assert_eq!(verdict(&rules, "aa cc"), Held);
    assert_eq!(review(&rules, "aa cc").reasons[0].matched, "a + c");
}

#[test]
fn a_combination_can_ask_for_rules_near_one_another() {
    let rules = combination(
        r#"all = ["a", "b"]
within = 10"#,
    );
    assert_eq!(verdict(&rules, "aa, then bb"), Held);
    assert_eq!(verdict(&rules, "aa, then a word or two more, then bb"), Approved);
    assert_eq!(verdict(&rules, "aa, then a word or two more, then bb aa"), Held, "the later place counts as well");
}

#[test]
fn a_combination_of_too_little_is_refused() {
    for (keys, told) in [
        (r#"all = ["a"]"#, "fewer than two rules"),
        (
            r#"all = []
any = ["a", "b"]"#,
            "at least one of them in `all`",
        ),
        (
            r#"all = ["a"]
any = ["a"]"#,
            "a second time",
        ),
        (
            r#"all = ["a", "b"]
within = 0"#,
            "a distance",
        ),
    ] {
        refused(&combination(keys), told);
    }
}

const HELP: &str = r#"
[categories.help]
hold = 50
urgent = true
[categories.abuse]
hold = 50
reject = 100
[[list]]
id = "need"
category = "help"
weight = 50
terms = ["no way out"]
[[list]]
id = "insult"
category = "abuse"
weight = 150
terms = ["you worm"]
"#;

#[test]
fn whoever_may_need_help_is_held_and_stands_first_among_the_scores() {
    assert_eq!(verdict(HELP, "you worm"), Rejected);
    let review = review(HELP, "you worm, I see no way out");
    assert_eq!(review.verdict, Held);
    assert_eq!(review.scores[0].category, "help");
    assert!(review.scores[0].holds_urgently());
}

#[test]
fn an_urgent_category_must_hold_and_cannot_reject() {
    refused("[categories.help]\nreject = 50\nurgent = true\n", "urgent category");
    refused("[categories.help]\nhold = 50\nreject = 90\nurgent = true\n", "urgent category");
}

#[test]
fn a_hit_inside_what_an_allowed_pattern_matches_is_dropped() {
    let rules = "[[list]]\nid = \"a\"\ncategory = \"abuse\"\nterms = [\"you worm\"]\n[[allow]]\n\
                 patterns = ['called me \"?(?:[a-z]+ ){0,2}worm']\n";
    assert_eq!(verdict(rules, "he called me \"you worm\""), Approved);
    assert_eq!(verdict(rules, "he called me, you worm"), Held);
}

#[test]
fn a_link_that_passes_for_a_listed_host_is_found() {
    let rules = "[[link]]\nid = \"a\"\ncategory = \"scam\"\nimitates = [\"paypal.com\"]\n";
    assert_eq!(verdict(rules, "sign in at paypa1.com/login"), Held);
    assert_eq!(verdict(rules, "sign in at paypal.com/login"), Approved);
    refused(&rules.replace("paypal.com", "https://paypal.com"), "the host");
}

#[test]
fn a_rule_without_weight_counts_in_combinations_and_is_no_reason_itself() {
    let rules = combination("all = [\"a\", \"b\"]").replace("weight = 1\n", "weight = 0\n");
    let alone = review(&rules, "aa");
    assert_eq!((alone.verdict, alone.reasons.len(), alone.scores.len()), (Approved, 0, 0));
    let together = review(&rules, "aa bb");
    assert_eq!((together.verdict, together.reasons.len()), (Held, 1));
}
