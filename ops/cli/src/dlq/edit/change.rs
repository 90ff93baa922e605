//! The new body of a dead letter, from a patch or an editor, and why it may be refused.

use serde_json::Value;
use sluice_core::post::{Post, PostId};
use sluice_mysql::Content;
use sluice_rabbit::dead_letters::Transcript;
use time::OffsetDateTime;

use super::found::Found;
use super::replace::Replacement;
use super::{EDITED, Edit, Step, body, editor};
use crate::dlq::operation::preview;
use crate::visible::line;
use sluice_runtime::output;

impl Edit {
    pub(super) async fn change(&self, found: Found, patch: Option<Value>) -> anyhow::Result<Step> {
        let Found { dead_letter, original, both } = found;
        let before = dead_letter.bytes()?;
        let after = match patch {
            Some(patch) => body::patched(&before, &patch).map(Some),
            None => self.by_hand(&before, &dead_letter).await?,
        };
        let leftover = if both { original.map(|(_, original)| original.digest()) } else { None };
        let new = match after {
            Err(reason) => return Ok(Step::Deny(reason)),
            Ok(after) => after.filter(|after| !body::same(&before, after)),
        };
        if let Some(after) = &new
            && let Some(reason) = self.refusal(&before, after, &dead_letter).await?
        {
            return Ok(Step::Deny(reason));
        }
        if new.is_none() && !both {
            return Ok(Step::Nothing("the body is what it was; nothing was done"));
        }
        let new = new.map(|after| dead_letter.clone().edited(after, self.audit_log.id()));
        let (summary, undoes) = (self.dead_letter.clone(), Vec::new());
        let old = dead_letter;
        Ok(Step::Do(Box::new(Replacement { dead_letter: summary, old, new, leftover, outcome: EDITED, undoes })))
    }

    /// Why a new body is refused.
    async fn refusal(&self, before: &[u8], after: &[u8], dead_letter: &Transcript) -> anyhow::Result<Option<String>> {
        let message_id = dead_letter.properties.message_id.as_deref();
        let (was, is) = (body::id_of(before, message_id), body::id_of(after, message_id));
        if let (Some(was), true) = (was, was != is)
            && let Some(reason) = self.keeps_its_id(was, is, before).await?
        {
            return Ok(Some(format!("`id`: {reason}")));
        }
        let faults = body::faults(after, message_id);
        Ok((!faults.is_empty() && !self.args.even_if_invalid).then(|| {
            format!("no worker would take it ({}); --even-if-invalid does it all the same", faults.join("; "))
        }))
    }

    /// Why a post may not have another id. It may only if another post is stored under its own id, so that the id is
    /// accounted for without it.
    async fn keeps_its_id(&self, was: PostId, is: Option<PostId>, before: &[u8]) -> anyhow::Result<Option<String>> {
        let stored = self.audit_log.contents(&[Some(was), is].into_iter().flatten().collect::<Vec<_>>()).await?;
        let post = Post::from_message(before, Some(&was.to_string()), OffsetDateTime::UNIX_EPOCH).ok();
        Ok(match (stored.get(&was), is) {
            (None, _) => {
                Some(format!("the id of a post must not change while nothing is stored under it; it is {was}"))
            }
            (Some(row), _) if post.is_some_and(|post| Content::of(&post) == row.content) => {
                Some(format!("this very post is stored under {was}: it needs no other id, and may be dropped"))
            }
            (Some(_), None) => Some(format!("the post must have one; it was {was}")),
            (Some(_), Some(is)) if stored.contains_key(&is) => Some(format!("a post is stored under {is} already")),
            (Some(_), Some(_)) => None,
        })
    }

    /// The body as a person leaves it in the editor; `None`: unchanged. After a mistake the editor can be opened again.
    async fn by_hand(
        &self,
        before: &[u8],
        dead_letter: &Transcript,
    ) -> anyhow::Result<Result<Option<Vec<u8>>, String>> {
        let Ok(text) = std::str::from_utf8(before) else {
            return Ok(Err("the body is not UTF-8, so no editor can show it; `sluice dlq export --id ID` writes the \
                           dead letter out, for `sluice dlq import` to read when it is fixed"
                .to_owned()));
        };
        let json = serde_json::from_slice::<Value>(before).ok();
        let pretty = json.and_then(|json| serde_json::to_string_pretty(&json).ok()).map(|json| json + "\n");
        let suffix = if pretty.is_some() { ".json" } else { ".txt" };
        let shown = pretty.unwrap_or_else(|| text.to_owned());
        let mut draft = shown.clone();
        loop {
            let wrote = editor::edit(&editor::chosen(), &draft, suffix).await?;
            if wrote == shown.as_bytes() {
                return Ok(Ok(None));
            }
            let after = body::compact(&wrote, text);
            let Some(reason) = self.refusal(before, &after, dead_letter).await? else { return Ok(Ok(Some(after))) };
            let Ok(readable) = String::from_utf8(wrote) else { return Ok(Err(reason)) };
            draft = readable;
            if !self.again(&reason).await? {
                return Ok(Err(format!("{reason}; answered no")));
            }
        }
    }

    async fn again(&self, reason: &str) -> anyhow::Result<bool> {
        output::say(&format!("{}\nEdit again? [Y/n] ", line(reason)));
        preview::answer(&self.dead)
            .await
            .map(|answer| !matches!(answer.trim().to_ascii_lowercase().as_str(), "n" | "no"))
    }
}
