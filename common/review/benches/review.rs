//! How fast the review is: on ordinary posts with few and many terms, beside a peer; how long it takes to read rules;
//! and whether hostile texts cost more than their length.
//!
//! ```sh
//! cargo bench -p sluice-review --bench review
//! cargo bench -p sluice-review --bench review -- hostile/masked
//! ```
//!
//! Everything is made from the same seed each time, so that two runs measure the same.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustrict::CensorStr as _;
use sluice_review::copies::{Said, Sketch, Window};
use sluice_review::{Judge, Lesson, Lessons, RuleSet, Scorer};

#[path = "../../rabbit/tests/hostile/shapes.rs"]
mod shapes;

/// Ordinary rows, of which posts are made.
const ORDINARY: &str = include_str!("../tests/review-sets/tune/ordinary.jsonl");
const POSTS: usize = 200;
const POST_BYTES: usize = 500;
/// A short post, and how much of it is its title.
const SHORT_BYTES: usize = 150;
const TITLE_BYTES: usize = 30;

/// A sequence of numbers that look like chance: the linear congruence of Knuth's MMIX.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// Posts of about so many bytes, of rows in this language, or in both.
fn posts(bytes: usize, lang: Option<&str>) -> Vec<String> {
    let rows = ORDINARY.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a row is JSON"));
    let rows: Vec<_> = rows.filter(|row| lang.is_none_or(|lang| row["lang"] == lang)).collect();
    let texts: Vec<&str> = rows.iter().map(|row| row["text"].as_str().expect("a row has a text")).collect();
    let mut sequence = Sequence(1);
    let mut post = || {
        let mut post = String::new();
        while post.len() < bytes {
            post.push_str(sequence.of(&texts));
            post.push('\n');
        }
        post.truncate(post.floor_char_boundary(bytes));
        post
    };
    (0..POSTS).map(|_| post()).collect()
}

/// Terms that no post is likely to hold: half of them Latin, half Chinese, as long as those of real lists.
fn terms(count: usize) -> BTreeSet<String> {
    let syllables =
        ["ba", "cor", "dil", "fen", "gu", "hax", "jo", "kri", "lum", "mo", "nep", "pra", "rus", "tiv", "zo"];
    let characters: Vec<String> =
        ORDINARY.chars().filter(|c| *c >= '\u{4E00}' && *c <= '\u{9FFF}').map(String::from).collect();
    let characters: Vec<&str> = characters.iter().map(String::as_str).collect();
    let mut sequence = Sequence(2);
    let mut terms = BTreeSet::new();
    while terms.len() < count {
        let (parts, length) = match terms.len() % 2 {
            0 => (&syllables[..], 3 + sequence.below(3)),
            _ => (&characters[..], 3 + sequence.below(2)),
        };
        terms.insert((0..length).map(|_| sequence.of(parts)).collect());
    }
    terms
}

/// The built-in rules and so many terms, as a moderator would keep them.
fn rules(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the rules");
    let list = terms(count).into_iter().collect::<Vec<_>>().join("\n");
    std::fs::write(folder.path().join("terms.txt"), list).expect("the list is written");
    let file =
        "extend = \"builtin\"\n[[list]]\nid = \"many\"\ncategory = \"abuse\"\nweight = 5\nfile = \"terms.txt\"\n";
    std::fs::write(folder.path().join("rules.toml"), file).expect("the rules are written");
    folder
}

fn loaded(count: usize) -> RuleSet {
    RuleSet::load(&rules(count).path().join("rules.toml")).expect("the rules are in order")
}

/// The built-in rules, and a scorer that was learnt from posts. It holds next to none of them: what it finds would be a
/// cost of its own.
fn with_scorer() -> Judge {
    let mut lessons = Lessons::default();
    for (nth, post) in posts(POST_BYTES, None).iter().chain(&posts(SHORT_BYTES, None)).enumerate() {
        lessons.add(Lesson::new("", post, nth % 4 == 0));
    }
    let learnt = Scorer::learn(&lessons, 0.01, time::OffsetDateTime::UNIX_EPOCH).expect("enough posts");
    Judge::new(Arc::new(RuleSet::builtin()), Some(Arc::new(learnt)))
}

fn brief<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group
}

/// Posts in a second.
fn ordinary(criterion: &mut Criterion) {
    let posts = posts(POST_BYTES, None);
    let mut group = brief(criterion, "posts");
    group.throughput(Throughput::Elements(POSTS as u64));
    for (name, rules) in [("builtin", RuleSet::builtin()), ("1000", loaded(1_000)), ("65000", loaded(65_000))] {
        group.bench_function(BenchmarkId::new("terms", name), |bencher| {
            bencher.iter(|| posts.iter().for_each(|post| drop(black_box(rules.review_text("", post)))));
        });
    }
    let judge = with_scorer();
    group.bench_function("scorer", |bencher| {
        bencher.iter(|| posts.iter().for_each(|post| drop(black_box(judge.review_text("", post)))));
    });
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| posts.iter().fold(0, |all, post| all ^ sluice_review::fingerprint("", post)[0]));
    });
    group.bench_function("peer/rustrict", |bencher| {
        bencher.iter(|| posts.iter().filter(|post| post.as_str().is_inappropriate()).count());
    });
}

/// Short posts in a second, each with its title.
fn short(criterion: &mut Criterion) {
    let (rules, judge) = (RuleSet::builtin(), with_scorer());
    let mut group = brief(criterion, "short");
    group.throughput(Throughput::Elements(POSTS as u64));
    for lang in ["en", "zh"] {
        let posts = posts(SHORT_BYTES, Some(lang));
        let posts: Vec<_> = posts.iter().map(|post| post.split_at(post.floor_char_boundary(TITLE_BYTES))).collect();
        group.bench_function(BenchmarkId::new("builtin", lang), |bencher| {
            bencher
                .iter(|| posts.iter().for_each(|(title, content)| drop(black_box(rules.review_text(title, content)))));
        });
        group.bench_function(BenchmarkId::new("scorer", lang), |bencher| {
            bencher
                .iter(|| posts.iter().for_each(|(title, content)| drop(black_box(judge.review_text(title, content)))));
        });
    }
}

/// Posts of about so many bytes whose words come in no order, so that no two of them are near copies.
fn scrambled(count: usize, bytes: usize, lang: Option<&str>) -> Vec<String> {
    let texts = posts(POST_BYTES, lang).concat();
    let pair = |pair: &[char]| pair.iter().collect::<String>();
    let words: Vec<String> = texts
        .split_whitespace()
        .flat_map(|word| match word.is_ascii() {
            true => vec![format!("{word} ")],
            false => word.chars().collect::<Vec<_>>().chunks(2).map(pair).collect(),
        })
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut sequence = Sequence(3);
    let mut post = || {
        let mut post = String::new();
        while post.len() < bytes {
            post.push_str(sequence.of(&words));
        }
        post.truncate(post.floor_char_boundary(bytes));
        post
    };
    (0..count).map(|_| post()).collect()
}

/// Posts in a second with and without near copies, in a full window: ordinary ones, and a flood of 200 texts.
fn copies(criterion: &mut Criterion) {
    const WINDOW: usize = 1 << 16;
    let rules = RuleSet::builtin();
    let mut group = brief(criterion, "copies");
    group.throughput(Throughput::Elements(POSTS as u64));
    for (name, bytes, lang) in
        [("en", SHORT_BYTES, Some("en")), ("zh", SHORT_BYTES, Some("zh")), ("mixed", POST_BYTES, None)]
    {
        let ordinary = scrambled(WINDOW + POSTS, bytes, lang);
        let flood: Vec<String> = ordinary.iter().take(POSTS).cycle().take(ordinary.len()).cloned().collect();
        group.bench_function(BenchmarkId::new("sketch", name), |bencher| {
            bencher.iter(|| ordinary[..POSTS].iter().filter_map(|post| Sketch::of(post)).count());
        });
        group.bench_function(BenchmarkId::new("without", name), |bencher| {
            bencher.iter(|| ordinary[..POSTS].iter().for_each(|post| drop(black_box(rules.review_text("", post)))));
        });
        for (kind, posts) in [("with", &ordinary), ("flood", &flood)] {
            let (mut window, mut met) = (Window::new(Duration::from_secs(3600), WINDOW), 0_u128);
            let mut meet = |post: &str, is_reviewed: bool| {
                met += 1;
                if is_reviewed {
                    drop(black_box(rules.review_text("", post)));
                }
                let said = Said::by(&met.to_be_bytes(), Some("author"), post);
                said.map(|said| black_box(window.meet(&said, Duration::from_millis((met / 100) as u64))))
            };
            posts.iter().filter_map(|post| meet(post, false)).count();
            let mut at = 0;
            group.bench_function(BenchmarkId::new(kind, name), |bencher| {
                bencher.iter(|| {
                    at = (at + POSTS) % WINDOW;
                    posts[at..at + POSTS].iter().filter_map(|post| meet(post, true)).count()
                });
            });
        }
    }
    let text = shapes::shaped("ab > [quote] c", 64 << 10);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("sketch/64KiB", |bencher| bencher.iter(|| black_box(Sketch::of(&text))));
}

/// What a reload takes.
fn reload(criterion: &mut Criterion) {
    let mut group = brief(criterion, "reload");
    for count in [1_000, 65_000] {
        let folder = rules(count);
        let file = folder.path().join("rules.toml");
        group.bench_function(BenchmarkId::new("terms", count), |bencher| {
            bencher.iter(|| RuleSet::load(black_box(&file)).expect("the rules are in order"));
        });
    }
}

/// Lessons in a second.
fn learning(criterion: &mut Criterion) {
    let mut lessons = Lessons::default();
    for (nth, post) in posts(SHORT_BYTES, Some("en")).iter().enumerate() {
        lessons.add(Lesson::new("", post, nth % 4 == 0));
    }
    // Posts are made of few rows, some of them twice.
    lessons.drop_contradictions();
    let mut group = brief(criterion, "learn");
    group.throughput(Throughput::Elements(POSTS as u64));
    group.bench_function("200", |bencher| {
        bencher.iter(|| {
            Scorer::learn(black_box(&lessons), 0.01, time::OffsetDateTime::UNIX_EPOCH).map(|one| one.id().len())
        });
    });
}

/// Bytes in a second, which stay the same where work is linear.
fn hostile(criterion: &mut Criterion) {
    let judge = with_scorer();
    let mut group = brief(criterion, "hostile");
    for (name, unit) in shapes::SHAPES {
        for kib in [16, 32, 64] {
            let text = shapes::shaped(unit, kib << 10);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(BenchmarkId::new(name, kib), |bencher| {
                bencher.iter(|| black_box(judge.review_text("", &text)));
            });
        }
    }
}

criterion_group!(benches, ordinary, short, copies, reload, learning, hostile);
criterion_main!(benches);
