//! The review of any text: before the first line break the title, after it the content.

use std::sync::LazyLock;

use sluice_core::post::{Post, PostId};
use sluice_core::verdict::Verdict;
use sluice_review::RuleSet;
use time::OffsetDateTime;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);

/// There is a verdict, the same each time, and its reasons point at whole characters of the text.
pub(crate) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (title, content) = text.split_once('\n').unwrap_or(("", &text));
    let post = Post {
        id: PostId::from_key("k"),
        title: title.to_owned(),
        content: content.to_owned(),
        author: None,
        submitted_at: OffsetDateTime::UNIX_EPOCH,
    };
    let review = RULES.review(&post);
    assert_eq!(RULES.review(&post), review, "two verdicts on one post");
    assert!(review.verdict == Verdict::Approved || !review.reasons.is_empty(), "{} without a reason", review.verdict);
    for reason in &review.reasons {
        let text = if reason.field == "title" { title } else { content };
        let [start, end] = reason.span;
        let span = text.get(start..end).unwrap_or_else(|| panic!("{reason:?} is not within {text:?}"));
        let shown = reason.text.strip_suffix('…').unwrap_or(&reason.text);
        assert!(!span.is_empty() && span.starts_with(shown), "{reason:?} is not at its place");
    }
}
