//! A dead letter that is edited on its page: what is there, and what somebody typed.

use sha2::{Digest as _, Sha256};
use sluice_core::named::Named;
use sluice_core::post::PostId;
use sluice_mysql::{ID_CONFLICT, Store};

use super::super::app::Pages;
use super::super::frame::Refusal;
use super::change::{Change, changes};
use crate::dlq::edit::body;
use crate::dlq::edit::found::{Found, NoSuchDeadLetter};
use crate::visible::{block, is_hidden};

/// The most bytes of a body that a page takes: a browser triples those of Chinese on the way.
const MAX_BYTES: usize = 1024 * 1024;

/// The dead letter as it was found, and its body for a text field.
pub(super) struct Editable {
    pub(super) found: Found,
    pub(super) before: Vec<u8>,
    /// As the field shows it at first.
    pub(super) text: String,
}

impl Editable {
    /// Looks for it. The dead letters are in flight for that long.
    pub(super) async fn look(pages: &Pages, store: &Store, id: &str) -> Result<Self, Refusal> {
        let dead = pages.0.dead.patient(pages.0.stop.clone());
        let found = Found::look(&Named::new(id), &dead, store).await.map_err(|error| {
            if error.is::<NoSuchDeadLetter>() {
                let detail =
                    "No dead letter has this id now. It may have been replayed or dropped: the audit log knows.";
                return Refusal::not_found(detail.to_owned());
            }
            Refusal::down("The dead letters cannot be read", format!("{error:#}"))
        })?;
        let unreadable = |detail: &str| Refusal::invalid(detail.to_owned());
        let before = found.dead_letter.bytes().map_err(|error| unreadable(&error.to_string()))?;
        let text = body::readable(&before).map(|(text, is_json)| if is_json { escaped(&text) } else { text });
        let text = text.filter(|text| *text == block(text)).ok_or_else(|| {
            unreadable(
                "The body is no text that a page could show and a browser leave as it is. Export it with `sluice dlq \
                 export --id ID`, fix it, and import it with `sluice dlq import`.",
            )
        })?;
        if text.len() > MAX_BYTES {
            return Err(unreadable("The body is too large for a page. `sluice dlq edit ID` opens it in an editor."));
        }
        Ok(Self { found, before, text })
    }

    /// By what a form says which dead letter it saw.
    pub(super) fn digest(&self) -> String {
        hex(&self.found.dead_letter.digest())
    }

    /// The body that was typed; none: it is what is there.
    pub(super) fn typed(&self, text: &str) -> Option<Vec<u8>> {
        let after = body::compact(text.as_bytes(), &self.before);
        (text != self.text && !body::same(&self.before, &after)).then_some(after)
    }

    /// The typed text with an id that no post has.
    pub(super) fn with_new_id(&self, text: &str) -> Result<String, String> {
        let patch = serde_json::json!({ "id": PostId::new() });
        let patched = body::patched(&body::compact(text.as_bytes(), &self.before), &patch)?;
        Ok(body::readable(&patched).map(|(text, _)| escaped(&text)).unwrap_or_default())
    }

    /// Whether it failed because another post is stored under its id.
    pub(super) fn is_conflict(&self) -> bool {
        self.found.dead_letter.summary().is_ok_and(|summary| summary.code == ID_CONFLICT)
    }

    /// What reverting the last edit would change; none: it was not edited, or was replayed since.
    pub(super) fn undo(&self) -> Option<Vec<Change>> {
        let (_, original) = self.found.original.as_ref()?;
        let replays = |dead_letter: &sluice_rabbit::dead_letters::Transcript| Some(dead_letter.summary().ok()?.replays);
        let same_life = replays(original)? == replays(&self.found.dead_letter)?;
        same_life.then(|| original.bytes().map(|bytes| changes(&self.before, &bytes)).unwrap_or_default())
    }
}

/// By what a form says for which text it saw the change.
pub(super) fn seal(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with its hidden characters written as escapes: they are seen, and no page and no browser changes them.
pub(super) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\n' | '\t') || !is_hidden(c) {
            text.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            text.push_str(&units);
        }
    }
    text
}
