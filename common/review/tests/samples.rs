//! The sample posts that come with the program: each is of the kind it says, and is reviewed as its kind should be.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, Post, PostId, TITLE_MAX_CHARS};
use sluice_core::verdict::Verdict;
use sluice_review::RuleSet;
use time::OffsetDateTime;

fn lines() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops/lab/samples/posts.ndjson");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

/// The kind a line says it is; a line that cannot say so is malformed.
fn kind(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap_or(Value::Null);
    value["kind"].as_str().unwrap_or("malformed").to_owned()
}

/// A line as a post, if the front door would take it.
fn post(line: &str) -> Option<Post> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |field: &str, longest: usize| {
        let text = value.get(field)?.as_str()?;
        (!text.trim().is_empty() && text.chars().count() <= longest).then(|| text.to_owned())
    };
    let author = match value.get("author") {
        None => None,
        Some(_) => Some(text("author", AUTHOR_MAX_CHARS)?),
    };
    Some(Post {
        id: PostId::from_key(line),
        title: text("title", TITLE_MAX_CHARS)?,
        content: text("content", CONTENT_MAX_CHARS)?,
        author,
        submitted_at: OffsetDateTime::UNIX_EPOCH,
    })
}

#[test]
fn there_are_as_many_of_each_kind_as_the_readme_says() {
    let mut kinds = BTreeMap::new();
    for line in lines() {
        *kinds.entry(kind(&line)).or_insert(0) += 1;
    }
    let counted: Vec<_> = kinds.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let said = [("abuse", 26), ("malformed", 13), ("near-miss", 40), ("ordinary", 180), ("spam", 44)];
    assert_eq!(counted, said);
}

#[test]
fn only_the_malformed_ones_are_refused_at_the_front_door() {
    for line in lines() {
        assert_eq!(post(&line).is_none(), kind(&line) == "malformed", "{line}");
        assert!(!line.contains("\"id\""), "the front door gives ids: {line}");
    }
}

#[test]
fn some_ordinary_posts_have_long_titles() {
    let ordinary = lines().into_iter().filter(|line| kind(line) == "ordinary");
    let lengths = ordinary.filter_map(|line| post(&line)).map(|post| post.title.chars().count());
    assert_eq!(lengths.filter(|length| (70..=200).contains(length)).count(), 10);
}

#[test]
fn each_is_reviewed_as_its_kind_should_be() {
    let rules = RuleSet::builtin();
    for line in lines() {
        let Some(post) = post(&line) else { continue };
        let review = rules.review(&post);
        let fits = match kind(&line).as_str() {
            "ordinary" | "near-miss" => review.verdict == Verdict::Approved,
            "spam" | "abuse" => review.verdict >= Verdict::Held,
            other => panic!("no such kind: {other}"),
        };
        assert!(fits, "{:?} is {}: {:?}", post.title, review.verdict, review.reasons);
    }
}
