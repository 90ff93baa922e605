//! The built-in rules, and what holds of every review whatever the rules: tables in both languages, laws as
//! properties.
use std::sync::LazyLock;

use proptest::prelude::*;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::Verdict::{self, Approved, Held, Rejected};
use sluice_core::verdict::{Reason, Review};
use sluice_review::{BUILTIN_RULES, RuleSet};
use time::OffsetDateTime;

static BUILTIN: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);
static ANOTHER: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);

fn post(title: &str, content: &str) -> Post {
    Post {
        id: PostId::from_key("a post"),
        title: title.to_owned(),
        content: content.to_owned(),
        author: None,
        submitted_at: OffsetDateTime::UNIX_EPOCH,
    }
}

fn review(content: &str) -> Review {
    BUILTIN.review(&post("", content))
}

#[test]
fn the_built_in_rules_are_in_order() {
    let read = RuleSet::parse(BUILTIN_RULES, "builtin").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.id(), BUILTIN.id());
    assert!(read.id().starts_with("builtin@"), "{}", read.id());
}

#[test]
fn ordinary_words_that_hold_a_listed_one_are_approved_without_a_reason() {
    for text in [
        "Scunthorpe, Penistone and Cockermouth are towns in England.",
        "My class had to assess a classic passage; the assistant was embarrassed.",
        "The cockatiel sat on the Dickens shelf, next to the analysis of Essex therapists.",
        "There is a chink in the armour of that argument.",
        "Is this white power cable safe? The flame retarded one was sold out.",
        "I nearly had to kill myself laughing at the puppet show.",
        "Our breeding bitch had six puppies on Sunday.",
        "这件事给我惹了大麻烦，院子里的大麻雀也来凑热闹。",
        "路口交通灯坏了，进出口交易也受影响，窗口交费要排队。",
        "周末去社区做爱心餐，把烘焙当做爱好也不错。",
        "村里的牲畜生病了，家畜生产受了影响。",
        "昨天滑雪摔了个狗吃屎，朋友笑了我一路。",
        "印度支那半岛的旅行路线有人走过吗？买了一支那个牌子的牙膏。",
        "他妈的手艺真好，那锅红烧肉我到现在还记得。",
        "请注意以下注意事项，写下注释再提交，按页面提示在下注册。",
        "空军派机支援交通管制，救援交给了专业队伍，面包夜里会涨价吗？",
        "地铁站口的小日本料理店换老板了。",
        "特殊学校的智障儿童办了画展，票是免费的。",
        "给结婚的闺蜜挑了条彩金项链。",
        "不要为了考试拼命，don't kill yourself over it.",
        "明年想和你去死海，今日你妈妈做饼干你妈妈夸你了吗？别给狗东西吃。",
        "Where do people here buy an escort for their campervan? Great tits at the feeder, too.",
        "小鸡巴士玩具在哪里买的？学生妹妹很喜欢。",
    ] {
        let review = review(text);
        assert_eq!((review.verdict, &review.reasons[..]), (Approved, &[][..]), "{text}");
    }
}

#[test]
fn what_people_also_say_in_good_faith_is_approved_by_itself() {
    for text in [
        "This fucking printer. I feel like an idiot.",
        "If you spoil the ending I'll kill you :)",
        "Watch your back when you lift the boxes.",
        "Is that online casino advert on the bus even legal?",
        "Has anyone been prescribed xanax for flying? My doctor suggested it.",
        "有人冒充客服，说刷单返利，大家小心。",
        "再不回家吃饭，你妈打断你的腿。",
        "学校通报了两起代写论文的处分。",
        "跑团招新，有兴趣的加微信 runner2026，每周三晚上集合。",
        "捡到一只橘猫，失主请打 13800138000。",
        "今天上班累死了，真不想活了，好在明天放假。",
        "月入八千在成都够花吗？",
        "孩子的平板弹出成人网站，怎么屏蔽？",
        "警方通报：有人在酒吧使用听话水，女生要看好自己的杯子。",
        "A candle like that could burn your house down.",
        "Where do your kids go to school?",
        "这个东北人是骗子，把押金骗走了。",
        "出售小号羽绒服一件，穿过两次。",
    ] {
        assert_eq!(review(text).verdict, Approved, "{text}: {:?}", review(text).reasons);
    }
}

#[test]
fn what_nobody_wants_to_read_is_stopped() {
    for (text, verdict) in [
        ("Nobody asked you, kill yourself", Held),
        ("Just kill yourself", Rejected),
        ("you are such a pathetic loser", Held),
        ("You’re nothing but a piece of trash", Held),
        ("FUCK YOU", Held),
        ("fu\u{200b}ck y\u{200b}ou", Held),
        ("ｆｕｃｋ　ｙｏｕ", Held),
        ("𝒇𝒖𝒄𝒌 𝒚𝒐𝒖", Held),
        ("Hot singles in your area are waiting for you", Rejected),
        ("buy viagra, no prescription needed, discreet shipping", Rejected),
        ("buy instagram followers and real followers, 80% off, visit our website https://bit.ly/3abcd", Rejected),
        ("Online casino with free spins: claim the no deposit bonus", Rejected),
        ("I know where you live and I'll kill you", Held),
        ("kill all the immigrants", Held),
        ("I want to kill myself", Held),
        ("你就是个傻逼", Held),
        ("你这个废物，怎么不去死", Rejected),
        ("我知道你家地址，弄死你", Held),
        ("外地人都是小偷", Held),
        ("无抵押贷款，当天放款，不看征信，加微信 dk66778", Held),
        ("专业代写论文，代发论文，加 QQ：88997766", Held),
        ("六合彩特码，期期包中，进群领取", Held),
        ("同城约炮群，寂寞少妇，加Ｖ信：xx9988", Rejected),
        ("出售迷药，听话水，货到付款", Rejected),
    ] {
        assert_eq!(review(text).verdict, verdict, "{text}: {:?}", review(text).reasons);
    }
}

/// The built-in rules without what looks suspicious besides.
fn lists_alone() -> RuleSet {
    let rules = format!("{BUILTIN_RULES}\n").replace("suspected = true", "suspected = false");
    RuleSet::parse(&rules, "lists.toml").expect("they are in order")
}

#[test]
fn saying_it_again_adds_nothing() {
    let lists = lists_alone();
    let once = lists.review_text("", "Visit our website for wholesale prices.");
    let often = lists.review_text("", &"Visit our website for wholesale prices. ".repeat(50));
    assert_eq!(once.verdict, Approved);
    assert_eq!((often.verdict, often.reasons), (once.verdict, once.reasons));
}

#[test]
fn title_and_content_are_weighed_together_and_named_apart() {
    let review = lists_alone().review(&post("Wholesale prices", "Visit our website, order now."));
    assert_eq!(review.verdict, Held);
    let places: Vec<_> = review.reasons.iter().map(|reason| (reason.field.as_str(), reason.text.as_str())).collect();
    assert_eq!(places, [("title", "Wholesale prices"), ("content", "Visit our website"), ("content", "order now")]);
}

#[test]
fn a_reason_points_at_what_was_written() {
    let text = "看这里：加 微\u{200b}信 ＡＢＣ12345";
    let review = lists_alone().review_text("", text);
    let reason = review.reasons.first().expect("a contact is a reason");
    assert_eq!(reason.category, "contact");
    assert_eq!(&text[reason.span[0]..reason.span[1]], reason.text);
}

#[test]
fn the_reasons_that_decided_come_first_and_their_number_is_capped() {
    // Held, because it holds what somebody writes who may need help.
    let review = review(BUILTIN_RULES);
    assert_eq!(review.verdict, Held);
    assert_eq!(review.reasons.len(), 16);
    let mixed = lists_alone().review_text("", "Wholesale prices. You absolute moron.");
    assert_eq!(mixed.verdict, Held);
    let categories: Vec<_> = mixed.reasons.iter().map(|reason| reason.category.as_str()).collect();
    let (last, others) = categories.split_last().expect("there are reasons");
    assert!(*last == "spam" && others.iter().all(|category| *category == "abuse"), "{categories:?}");
}

#[test]
fn a_text_full_of_hits_is_reviewed_in_time_that_grows_with_its_length() {
    // A hundred thousand characters of nothing but hits: quadratic work would take minutes.
    let began = std::time::Instant::now();
    let dense = review(&"加微信微信微信 you you you are you idiot ".repeat(2_500));
    assert_eq!(dense.verdict, Held);
    assert!(began.elapsed().as_secs() < 20, "took {:?}", began.elapsed());
}

/// Texts that come near the rules: their own words, in any order, with what disguises and separates them.
fn near_the_rules() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(vec![
            "fuck you", "you", "are", "idiot", "ass", "class", "加微信", "微信", "：", "abc12345", "大麻", "烦", "路口交", "通",
            "口交", "刷单", "兼职", "ＦＵＣＫ", "ｙｏｕ", "\u{200b}", "™", "İ", "ﷺ", "🔥", "👩‍👩‍👧", "https://bit.ly/x1", "$500 a day",
            "earn", "13800138000", "!!!!", " ", "\n\t", "e\u{301}", "한국어", "ﬁ", "ͱ",
            "з", "sss", "f.u.c.k",
        ]).prop_map(str::to_owned),
        1 => "(?s).{0,6}",
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn holds_of(reason: &Reason, text: &str) -> Result<(), TestCaseError> {
    let [start, end] = reason.span;
    let there = text.get(start..end);
    prop_assert!(there.is_some_and(|there| !there.is_empty()), "{reason:?} is no place in {text:?}");
    let there = there.unwrap_or_default();
    match reason.text.strip_suffix('…') {
        Some(cut) if there != reason.text => prop_assert!(there.starts_with(cut), "{reason:?} in {text:?}"),
        Some(_) | None => prop_assert_eq!(there, &reason.text),
    }
    prop_assert!(reason.text.chars().count() <= 60);
    Ok(())
}

proptest! {
    #[test]
    fn every_reason_points_between_characters_at_its_own_text(title in near_the_rules(), content in near_the_rules()) {
        let review = BUILTIN.review(&post(&title, &content));
        prop_assert!(review.reasons.len() <= 16);
        prop_assert!(review.verdict == Verdict::Approved || !review.reasons.is_empty());
        for reason in &review.reasons {
            match reason.field.as_str() {
                "title" => holds_of(reason, &title)?,
                "content" => holds_of(reason, &content)?,
                other => prop_assert!(false, "no post has a field {other}"),
            }
        }
    }

    #[test]
    fn what_is_explained_is_what_is_reviewed(title in near_the_rules(), content in near_the_rules()) {
        let explained = BUILTIN.explain(&title, &content).review;
        prop_assert_eq!(explained, BUILTIN.review(&post(&title, &content)));
    }

    #[test]
    fn no_text_makes_the_review_panic(title in ".*", content in "(?s).*") {
        let _ = BUILTIN.review(&post(&title, &content));
    }

    #[test]
    fn the_same_post_gets_the_same_review(title in near_the_rules(), content in near_the_rules()) {
        let post = post(&title, &content);
        prop_assert_eq!(BUILTIN.review(&post), ANOTHER.review(&post));
    }

    #[test]
    fn zero_width_characters_never_weaken_a_verdict(content in near_the_rules(), at in 0.0f64..1.0) {
        let places: Vec<_> = content.char_indices().map(|(at, _)| at).chain([content.len()]).collect();
        let (before, after) = content.split_at(places[(at * places.len() as f64) as usize]);
        let disguised = format!("{before}\u{200b}{after}");
        // They may make it stronger: nobody puts them between two words that only happen to spell a term.
        prop_assert!(review(&content).verdict <= review(&disguised).verdict);
    }
}

#[test]
fn a_letter_of_any_script_with_spaces_that_touches_a_word_makes_it_another_word() {
    for another in ["ͱfuck you", "fuck youͱ", "ͱfuck you now", "fuck youͱ now", "ͱf*ck you", "fuuuck youͱ"] {
        assert_eq!(review(another).verdict, Approved, "{another}");
    }
    for same in ["ͱ fuck you", "fuck you ͱ", "你fuck you你", "fuck you-ͱ", "ͱ f*ck you ͱ", "fuuuck you"] {
        assert!(review(same).verdict > Approved, "{same}");
    }
}

#[test]
fn a_text_of_which_only_a_part_is_reviewed_is_held_and_the_reason_says_where_the_review_ended() {
    let whole = "words ".repeat(sluice_core::post::CONTENT_MAX_CHARS * 4 / 6);
    assert_eq!(review(&whole).verdict, Approved, "as long as a front door takes it");
    let longer = review(&format!("{whole} and a last word"));
    assert_eq!(longer.verdict, Held);
    let Reason { rule, field, span: [from, to], .. } = &longer.reasons[0];
    assert_eq!((rule.as_str(), field.as_str(), *to), ("reviewed_in_part", "content", whole.len() + 16));
    assert_eq!(*from, sluice_core::post::CONTENT_MAX_CHARS * 4);
}

#[test]
fn a_text_with_more_terms_than_are_looked_at_is_held_and_never_approved() {
    let review = review(&"fuck ".repeat(20_000));
    assert!(review.verdict >= Held, "{}", review.verdict);
    assert_eq!(review.reasons[0].rule, "reviewed_in_part");
    let findings = BUILTIN.explain("", &"fuck ".repeat(20_000)).findings;
    assert!(findings.len() <= 10_010, "{}", findings.len());
}
