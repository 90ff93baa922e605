//! What a prune did.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sluice_core::verdict::Verdict;
use sluice_mysql::{Batch, Keep, Prune};
use sluice_runtime::output;
use time::format_description::well_known::Rfc3339;

use crate::times::{shown, span};

/// How many posts were deleted, and how many stay.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Posts that were read.
    pub(super) seen: u64,
    /// Posts that were deleted, or would be.
    pub(super) pruned: u64,
    /// Old posts that stay.
    pub(super) kept: BTreeMap<Keep, u64>,
    /// How long it took.
    pub(super) took: Duration,
    /// Whether the whole table was gone through.
    pub(super) complete: bool,
}

impl Tally {
    /// Adds what became of a batch.
    pub(super) fn add(&mut self, batch: Batch) {
        self.pruned += batch.pruned;
        for (keep, posts) in batch.kept {
            *self.kept.entry(keep).or_default() += posts;
        }
    }

    /// Prints it.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(super) fn print(&self, prune: &Prune, planned: bool, json: bool) -> std::io::Result<()> {
        output::print(|out| match json {
            true => output::json_line(out, &self.object(prune, planned)),
            false => write!(out, "{}", self.text(prune, planned)),
        })
    }

    fn object(&self, prune: &Prune, planned: bool) -> Value {
        let kept: Map<String, Value> =
            Keep::ALL.iter().map(|keep| (keep.as_str().to_owned(), self.kept_for(*keep).into())).collect();
        json!({
            "prune": if planned { None } else { Some(prune.id) },
            "stored_before": prune.before.format(&Rfc3339).unwrap_or_default(),
            "verdicts": prune.verdicts.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>(),
            "looked_at": self.seen,
            "pruned": self.pruned,
            "kept": kept,
            "seconds": (self.took.as_secs_f64() * 1000.0).round() / 1000.0,
            "complete": self.complete,
        })
    }

    fn text(&self, prune: &Prune, planned: bool) -> String {
        let what = if planned { "would be deleted" } else { "deleted" };
        let before = shown(Some(prune.before));
        let time = span(time::Duration::try_from(self.took).unwrap_or_default());
        let mut text = format!("{} {what}, stored before {before}; {} read in {time}\n", posts(self.pruned), self.seen);
        for keep in Keep::ALL {
            let kept = self.kept_for(keep);
            if kept > 0 {
                text.push_str(&format!("{} kept although old: {}\n", posts(kept), because(keep)));
            }
        }
        if !planned {
            text.push_str(&format!("prune {}\n", prune.id));
        }
        if !self.complete {
            text.push_str("interrupted; the same command goes on with the rest\n");
        }
        text
    }

    fn kept_for(&self, keep: Keep) -> u64 {
        self.kept.get(&keep).copied().unwrap_or(0)
    }
}

fn because(keep: Keep) -> &'static str {
    match keep {
        Keep::OpenCase => "an open case waits for a person",
        Keep::HeldWithoutCase => "held, and without a case; `sluice review sweep` opens it",
        Keep::Appealable => "the author may still appeal",
        Keep::DecidedSince => "decided since then",
        Keep::Undelivered => {
            "the forum has not been told of a decision; see `sluice decisions endpoints`, or give events their \
             places with `sluice decisions follow --once`"
        }
        Keep::OtherVerdict => "another verdict stands",
    }
}

/// So many posts, in words.
pub(super) fn posts(count: u64) -> String {
    if count == 1 { "1 post".to_owned() } else { format!("{count} posts") }
}

/// `approved or rejected`.
pub(super) fn either(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>().join(" or ")
}
