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
use std::time::Duration;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustrict::CensorStr as _;
use sluice_review::RuleSet;

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
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| posts.iter().fold(0, |all, post| all ^ sluice_review::fingerprint("", post)[0]));
    });
    group.bench_function("peer/rustrict", |bencher| {
        bencher.iter(|| posts.iter().filter(|post| post.as_str().is_inappropriate()).count());
    });
}

/// Short posts in a second, each with its title.
fn short(criterion: &mut Criterion) {
    let rules = RuleSet::builtin();
    let mut group = brief(criterion, "short");
    group.throughput(Throughput::Elements(POSTS as u64));
    for lang in ["en", "zh"] {
        let posts = posts(SHORT_BYTES, Some(lang));
        let posts: Vec<_> = posts.iter().map(|post| post.split_at(post.floor_char_boundary(TITLE_BYTES))).collect();
        group.bench_function(BenchmarkId::new("builtin", lang), |bencher| {
            bencher
                .iter(|| posts.iter().for_each(|(title, content)| drop(black_box(rules.review_text(title, content)))));
        });
    }
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

/// Bytes in a second, which stay the same where work is linear.
fn hostile(criterion: &mut Criterion) {
    let rules = RuleSet::builtin();
    let mut group = brief(criterion, "hostile");
    for (name, unit) in shapes::SHAPES {
        for kib in [16, 32, 64] {
            let text = shapes::shaped(unit, kib << 10);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(BenchmarkId::new(name, kib), |bencher| {
                bencher.iter(|| black_box(rules.review_text("", &text)));
            });
        }
    }
}

criterion_group!(benches, ordinary, short, reload, hostile);
criterion_main!(benches);
