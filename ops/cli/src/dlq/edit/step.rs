//! What an edit comes to: a replacement, nothing, or a refusal.

use std::fmt;

use sluice_core::post::{Post, PostId};
use sluice_mysql::Content;
use time::OffsetDateTime;

use super::body;
use super::found::Found;
use super::replace::Replacement;
use crate::dlq::report::audit_log::AuditLog;
use crate::visible::line;

/// Outcomes, in the audit log and in `--json`.
pub(crate) const EDITED: &str = "edited";
const REVERTED: &str = "reverted";

/// What an edit comes to.
pub(crate) enum Step {
    /// Nothing, for this reason.
    Nothing(&'static str),
    /// It is refused, with this reason.
    Deny(String),
    /// A dead letter is replaced.
    Do(Box<Replacement>),
}

/// Why a new body is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The post may not have this id.
    Id(String),
    /// No worker would accept it, for these reasons.
    Invalid(Vec<String>),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(reason) => write!(f, "`id`: {reason}"),
            Self::Invalid(faults) => write!(f, "no worker would accept it ({})", faults.join("; ")),
        }
    }
}

/// Replaces the body by this one, in the name of this operation. `None`: it stays as it is.
///
/// # Errors
/// When the dead letter cannot be read.
pub(crate) fn changed(found: Found, after: Option<Vec<u8>>, operation: &str) -> anyhow::Result<Step> {
    let Found { dead_letter: old, original, both } = found;
    if after.is_none() && !both {
        return Ok(Step::Nothing("the body is unchanged; nothing was done"));
    }
    let leftover = if both { original.map(|(_, original)| original.digest()) } else { None };
    let new = after.map(|after| old.clone().edited(after, operation));
    let dead_letter = old.summary()?;
    let replacement = Replacement { dead_letter, old, new, leftover, outcome: EDITED, undoes: Vec::new() };
    Ok(Step::Do(Box::new(replacement)))
}

/// Puts the original back.
///
/// # Errors
/// As [`changed`].
pub(crate) fn undone(found: Found) -> anyhow::Result<Step> {
    let Found { dead_letter, original, both } = found;
    let summary = dead_letter.summary()?;
    let Some(operation) = dead_letter.edited_by() else {
        return Ok(Step::Nothing("it was not edited; nothing was done"));
    };
    let Some((kept, original)) = original else {
        return Ok(Step::Deny(format!(
            "operation {} edited it, but the audit log has no copy of the original",
            line(operation)
        )));
    };
    if summary.replays != original.summary()?.replays {
        return Ok(Step::Deny(format!("it was replayed after the edit (operation {})", line(operation))));
    }
    let (old, new, leftover) = match both {
        // The original is there: only the edited one has to go.
        true => (original, None, Some(dead_letter.digest())),
        false => (dead_letter, Some(original), None),
    };
    let replacement = Replacement { dead_letter: summary, old, new, leftover, outcome: REVERTED, undoes: vec![kept] };
    Ok(Step::Do(Box::new(replacement)))
}

/// Why a new body is refused.
///
/// # Errors
/// The database's.
pub(crate) async fn refusal(
    before: &[u8],
    after: &[u8],
    message_id: Option<&str>,
    audit_log: &AuditLog,
) -> anyhow::Result<Option<Refused>> {
    let (was, is) = (body::id_of(before, message_id), body::id_of(after, message_id));
    if let (Some(was), true) = (was, was != is)
        && let Some(reason) = keeps_its_id(was, is, before, audit_log).await?
    {
        return Ok(Some(Refused::Id(reason)));
    }
    let faults = body::faults(after, message_id);
    Ok((!faults.is_empty()).then_some(Refused::Invalid(faults)))
}

/// Why a post may not have another id. It may only if another post is stored under its own id, so that the id is
/// accounted for without it.
async fn keeps_its_id(
    was: PostId,
    is: Option<PostId>,
    before: &[u8],
    audit_log: &AuditLog,
) -> anyhow::Result<Option<String>> {
    let stored = audit_log.contents(&[Some(was), is].into_iter().flatten().collect::<Vec<_>>()).await?;
    let post = Post::from_message(before, Some(&was.to_string()), OffsetDateTime::UNIX_EPOCH).ok();
    Ok(match (stored.get(&was), is) {
        (None, _) => {
            Some(format!("the id of a post must not change unless another post is stored under it; it is {was}"))
        }
        (Some(row), _) if post.is_some_and(|post| Content::of(&post) == row.content) => {
            Some(format!("this same post is stored under {was}: it needs no new id, and can be dropped"))
        }
        (Some(_), None) => Some(format!("the post must have an id; it was {was}")),
        (Some(_), Some(is)) if stored.contains_key(&is) => Some(format!("a post is stored under {is} already")),
        (Some(_), Some(_)) => None,
    })
}
