//! What became of each post of an act in bulk.

use serde::Serialize;
use sluice_core::post::PostId;
use sluice_core::verdict::Verdict;
use sluice_mysql::review::Decision;
use sluice_runtime::exit::Exit;
use sluice_runtime::output::{self, report};
use uuid::Uuid;

/// One post of an act.
#[derive(Debug, Serialize)]
pub(in crate::review) struct Item {
    pub(in crate::review) post: Option<PostId>,
    pub(in crate::review) case: Uuid,
    /// `decided`, `undone`, or why it was not: `refused` or `gone`.
    pub(in crate::review) outcome: &'static str,
    pub(in crate::review) decision: Option<Uuid>,
    pub(in crate::review) revision: Option<u32>,
    pub(in crate::review) verdict: Option<Verdict>,
    pub(in crate::review) act: Uuid,
    /// Why it was not decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::review) detail: Option<String>,
}

/// An act as it goes on.
pub(in crate::review) struct Act {
    id: Uuid,
    json: bool,
    done: usize,
    not_done: usize,
}

impl Act {
    /// One of which nothing is done yet.
    pub(in crate::review) fn new(id: Uuid, json: bool) -> Self {
        Self { id, json, done: 0, not_done: 0 }
    }

    /// This post was decided.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(in crate::review) fn done(&mut self, outcome: &'static str, decision: &Decision) -> std::io::Result<()> {
        self.done += 1;
        let Decision { post, case, decision, revision, verdict, .. } = *decision;
        let (decision, revision, verdict) = (Some(decision), Some(revision), Some(verdict));
        let item = Item { post: Some(post), case, outcome, decision, revision, verdict, act: self.id, detail: None };
        if self.json { output::print(|out| output::json_line(out, &item)) } else { Ok(()) }
    }

    /// This one was not; it is said why.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(in crate::review) fn not_done(
        &mut self,
        outcome: &'static str,
        case: Uuid,
        post: Option<PostId>,
        why: &str,
    ) -> std::io::Result<()> {
        self.not_done += 1;
        report!("case {case}: {why}");
        let (act, detail) = (self.id, Some(why.to_owned()));
        let item = Item { post, case, outcome, decision: None, revision: None, verdict: None, act, detail };
        if self.json { output::print(|out| output::json_line(out, &item)) } else { Ok(()) }
    }

    /// How many were decided.
    pub(in crate::review) fn count(&self) -> usize {
        self.done
    }

    /// How it ends.
    pub(in crate::review) fn exit(&self) -> Exit {
        if self.not_done > 0 { Exit::Partial } else { Exit::Done }
    }

    /// How many were not decided, in words, if any.
    pub(in crate::review) fn rest(&self) -> String {
        match self.not_done {
            0 => String::new(),
            1 => ", 1 not (see above)".to_owned(),
            many => format!(", {many} not (see above)"),
        }
    }
}
