//! A scorer from decisions: what it may do to a verdict, what it says, and that it is learnt the same each time.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use sluice_core::verdict::{Review, Verdict};
use sluice_review::{Judge, Lesson, Lessons, RuleSet, Scorer};
use time::macros::datetime;

/// What sellers of a made-up kind say.
const SELLING: [&str; 24] = [
    "discount",
    "wholesale",
    "order",
    "cheap",
    "gnomes",
    "today",
    "prices",
    "agent",
    "delivery",
    "stock",
    "bargain",
    "catalogue",
    "warehouse",
    "payment",
    "customers",
    "limited",
    "turnips",
    "genuine",
    "certificate",
    "shipping",
    "deals",
    "coupon",
    "rebate",
    "supplier",
];
/// What people say to one another.
const TALKING: [&str; 24] = [
    "yesterday",
    "walked",
    "rain",
    "mother",
    "laughed",
    "garden",
    "evening",
    "maybe",
    "tired",
    "kitchen",
    "friends",
    "listened",
    "quiet",
    "river",
    "thought",
    "holiday",
    "bench",
    "letter",
    "tomorrow",
    "cousin",
    "watched",
    "birds",
    "supper",
    "windy",
];

/// Ten of these words, in an order that looks like chance.
fn words(of: [&str; 24], nth: usize) -> String {
    let mut chance = nth as u64 + 1;
    let mut word = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[(chance >> 33) as usize % 24]
    };
    (0..10).map(|_| word()).collect::<Vec<_>>().join(" ")
}

fn offer(nth: usize) -> String {
    words(SELLING, nth)
}

fn talk(nth: usize) -> String {
    words(TALKING, nth)
}

fn lessons(offers: usize, talks: usize) -> Lessons {
    let mut lessons = Lessons::default();
    (0..offers).for_each(|nth| lessons.add(Lesson::new("", &offer(nth), true)));
    (0..talks).for_each(|nth| lessons.add(Lesson::new("", &talk(nth), false)));
    lessons
}

fn scorer(lessons: &Lessons) -> Scorer {
    Scorer::learn(lessons, 0.01, datetime!(2026-11-30 12:00 UTC)).expect("enough texts")
}

/// Learnt from enough texts to hold posts.
static GOOD: LazyLock<Arc<Scorer>> = LazyLock::new(|| Arc::new(scorer(&lessons(130, 130))));

/// Rules that hold or reject what says so.
fn rules() -> Arc<RuleSet> {
    let list = |id: &str, weight: u32| {
        format!("[[list]]\nid = \"{id}\"\ncategory = \"spam\"\nweight = {weight}\nterms = [\"{id} this\"]\n")
    };
    let text = ["[categories.spam]\nhold = 50\nreject = 100\n".to_owned(), list("hold", 50), list("reject", 100)];
    Arc::new(RuleSet::parse(&text.concat(), "site.toml").expect("valid rules"))
}

fn judge(scorer: &Arc<Scorer>) -> Judge {
    Judge::new(rules(), Some(Arc::clone(scorer)))
}

/// Verdict, and the categories that spoke.
fn told(review: &Review) -> (Verdict, Vec<&str>) {
    (review.verdict, review.scores.iter().map(|score| score.category.as_str()).collect())
}

#[test]
fn what_looks_like_what_people_rejected_is_held_with_the_words_that_spoke() {
    let judge = judge(&GOOD);
    assert_eq!(GOOD.in_shadow(), None, "{:?}", GOOD.about());
    let text = offer(500);
    let review = judge.review_text("", &text);
    assert_eq!(told(&review), (Verdict::Held, vec!["learned"]));
    assert_eq!((review.scores[0].hold, review.scores[0].reject), (Some(50), None));
    assert!((50..=100).contains(&review.scores[0].sum), "{:?}", review.scores);
    assert!((1..=4).contains(&review.reasons.len()), "{:?}", review.reasons);
    for reason in &review.reasons {
        assert_eq!(
            (reason.rule.as_str(), reason.category.as_str(), reason.field.as_str()),
            ("learned", "learned", "content")
        );
        assert_eq!(text[reason.span[0]..reason.span[1]], reason.text);
        assert_eq!(reason.text, reason.matched, "nothing is disguised");
    }
    assert_eq!(review.ruleset, format!("{}+{}", rules().id(), GOOD.id()));
    assert_eq!((judge.id(), review.ruleset.len() <= 100), (review.ruleset.as_str(), true), "the column's width");
    assert_eq!(told(&judge.review_text("", &talk(500))), (Verdict::Approved, vec![]));
}

#[test]
fn what_the_rules_hold_or_reject_keeps_its_verdict_and_its_category_first() {
    let judge = judge(&GOOD);
    let held = judge.review_text("hold this", &offer(500));
    assert_eq!(told(&held), (Verdict::Held, vec!["spam", "learned"]));
    assert_eq!(
        (held.reasons[0].rule.as_str(), held.reasons.last().map(|last| last.rule.as_str())),
        ("hold", Some("learned"))
    );
    assert_eq!(judge.review_text("reject this", &offer(500)).verdict, Verdict::Rejected);
}

#[test]
fn a_scorer_that_is_not_good_enough_is_only_told() {
    let young = Arc::new(scorer(&lessons(45, 130)));
    let why = young.in_shadow().expect("too few texts");
    assert!(why.starts_with("it learnt from 45 texts to be flagged and 130 clean ones"), "{why}");
    let review = judge(&young).review_text("", &offer(500));
    assert_eq!(told(&review), (Verdict::Approved, vec![]));
    assert_eq!((review.shadow.len(), review.reasons.len(), review.ruleset.as_str()), (1, 0, rules().id()));
    let explanation = judge(&young).explain("", &offer(500));
    assert!(explanation.findings.iter().all(|finding| finding.dropped.is_some()) && !explanation.findings.is_empty());
    assert!(explanation.scorer.is_some_and(|said| said.points >= 50 && said.in_shadow.as_deref() == Some(why)));
}

#[test]
fn a_text_that_is_like_nothing_it_learnt_is_not_held() {
    for (offers, talks) in [(130, 130), (400, 100)] {
        let judge = judge(&Arc::new(scorer(&lessons(offers, talks))));
        for text in ["", "?", "今天下午我们一起去公园散步好不好", "Дети играли в саду до позднего вечера", "xyzzy"]
        {
            assert_eq!(judge.review_text("", text).verdict, Verdict::Approved, "{text}");
        }
    }
}

#[test]
fn the_same_texts_in_any_order_and_number_give_the_same_bytes() {
    let mut turned = Lessons::default();
    (0..130).rev().for_each(|nth| turned.add(Lesson::new("", &talk(nth), false)));
    (0..130).for_each(|nth| turned.add(Lesson::new("", &offer(nth), true)));
    assert_eq!(scorer(&turned).bytes(), GOOD.bytes());
    assert_eq!(GOOD.id().len(), "learned@".len() + 12);
}

#[test]
fn what_is_learnt_can_be_read_again_and_half_of_it_cannot() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scorer");
    let bytes = GOOD.bytes();
    std::fs::write(&path, &bytes).expect("it can be written");
    let read = Scorer::load(&path).expect("it is whole");
    assert_eq!((read.id(), read.about(), read.bytes()), (GOOD.id(), GOOD.about(), bytes.clone()));
    assert_eq!(read.points("", &offer(500)), GOOD.points("", &offer(500)));
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("it can be written");
    let refused = Scorer::load(&path).expect_err("it is cut").to_string();
    assert!(refused.ends_with(&format!("is cut short: {} bytes of {}", bytes.len() / 2, bytes.len())), "{refused}");
    assert!(Scorer::load(folder.path()).is_err());
}

#[test]
fn near_copies_do_not_flatter_the_figures() {
    // All offers are one campaign: whoever learns without it cannot find it.
    let mut lessons = lessons(0, 130);
    for nth in 0..100 {
        lessons.add(Lesson::new(
            "",
            &format!("The finest turnips of the county, ask for basket {nth} at the gate"),
            true,
        ));
    }
    let learnt = scorer(&lessons);
    assert_eq!(learnt.about().by_folds.found.hits, 0, "{:?}", learnt.about());
    assert!(learnt.in_shadow().is_some_and(|why| why.contains("by its folds it finds 0.0 %")));
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        (0usize..200).prop_map(offer),
        (0usize..200).prop_map(talk),
        Just("hold this ".to_owned()),
        Just("reject this ".to_owned()),
        "(?s).{0,40}",
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn it_only_ever_turns_approved_into_held(title in text(), content in text()) {
        let (alone, with) = (rules().review_text(&title, &content), judge(&GOOD).review_text(&title, &content));
        match (alone.verdict, with.verdict) {
            (Verdict::Approved, Verdict::Held) => prop_assert_eq!(&with.scores[0].category, "learned"),
            (before, after) => prop_assert_eq!(before, after),
        }
        for reason in alone.reasons.iter() {
            prop_assert!(with.reasons.contains(reason), "a reason of the rules is lost");
        }
        for reason in with.reasons.iter().filter(|reason| reason.rule == "learned") {
            let field = if reason.field == "title" { &title } else { &content };
            prop_assert!(field.get(reason.span[0]..reason.span[1]).is_some_and(|there| !there.is_empty()));
        }
        let explained = judge(&GOOD).explain(&title, &content);
        prop_assert_eq!(explained.review, with);
    }
}
