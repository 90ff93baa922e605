//! The new body of a dead letter at a terminal: from a patch, or from an editor.

use serde_json::Value;
use sluice_rabbit::dead_letters::Transcript;

use super::found::Found;
use super::step::{self, Refused, Step};
use super::{Edit, body, editor};
use crate::dlq::operation::preview;
use crate::visible::line;
use sluice_runtime::output;

impl Edit {
    pub(super) async fn change(&self, found: Found, patch: Option<Value>) -> anyhow::Result<Step> {
        let before = found.dead_letter.bytes()?;
        let after = match patch {
            Some(patch) => body::patched(&before, &patch).map(Some),
            None => self.by_hand(&before, &found.dead_letter).await?,
        };
        let after = match after {
            Err(reason) => return Ok(Step::Deny(reason)),
            Ok(after) => after.filter(|after| !body::same(&before, after)),
        };
        if let Some(after) = &after
            && let Some(reason) = self.refusal(&before, after, &found.dead_letter).await?
        {
            return Ok(Step::Deny(reason));
        }
        step::changed(found, after, self.audit_log.id())
    }

    /// Why a new body is refused.
    async fn refusal(&self, before: &[u8], after: &[u8], dead_letter: &Transcript) -> anyhow::Result<Option<String>> {
        let message_id = dead_letter.properties.message_id.as_deref();
        Ok(match step::refusal(before, after, message_id, &self.audit_log).await? {
            Some(Refused::Invalid(_)) if self.args.even_if_invalid => None,
            Some(invalid @ Refused::Invalid(_)) => Some(format!("{invalid}; use --even-if-invalid to apply it anyway")),
            other => other.map(|refused| refused.to_string()),
        })
    }

    /// The body as a person leaves it in the editor; `None`: unchanged. After a mistake the editor can be opened again.
    async fn by_hand(
        &self,
        before: &[u8],
        dead_letter: &Transcript,
    ) -> anyhow::Result<Result<Option<Vec<u8>>, String>> {
        let Some((shown, is_json)) = body::readable(before) else {
            return Ok(Err("the body is not UTF-8, so no editor can show it; export it with `sluice dlq export --id \
                           ID`, fix it, and import it with `sluice dlq import`"
                .to_owned()));
        };
        let suffix = if is_json { ".json" } else { ".txt" };
        let mut draft = shown.clone();
        loop {
            let wrote = editor::edit(&editor::chosen(), &draft, suffix).await?;
            if wrote == shown.as_bytes() {
                return Ok(Ok(None));
            }
            let after = body::compact(&wrote, before);
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
