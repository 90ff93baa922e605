//! `sluice dlq edit`: a dead letter's body fixed by hand, so that its replay succeeds. The original is kept in the
//! record and can be had back until the dead letter is replayed.

pub(in crate::dlq) mod body;
pub(in crate::dlq) mod editor;
pub(in crate::dlq) mod found;
pub(in crate::dlq) mod replace;

use clap::Args;
use serde_json::Value;
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_core::post::{Post, PostId};
use sluice_mysql::{Content, OperationKind, Store};
use sluice_rabbit::dead_letters::{DeadLetterSummary, Transcript};
use sluice_runtime::exit::Exit;
use time::OffsetDateTime;

use crate::browse::DeadLetters;
use crate::dlq::operation::preview;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::report_json;
use crate::dlq::select::named::resolve;
use crate::hint;
use crate::visible::line;
use found::{Found, NoSuchDeadLetter};
use replace::{NotReplaced, Replacement};
use sluice_runtime::output::{self, report};

const COMMAND: &str = "dlq edit";

/// Arguments of `sluice dlq edit`.
#[derive(Debug, Args)]
pub(in crate::dlq) struct EditArgs {
    /// Id of the dead letter, as shown by `sluice dlq list`, or of the post it holds
    ///
    /// At least 4 characters from the beginning of the id are enough, if no other dead letter's id begins with them.
    /// `latest` selects the dead letter that failed last. If several dead letters have the id, the oldest is edited.
    id: String,
    /// Apply a JSON merge patch (RFC 7396) to the body instead of opening an editor
    ///
    /// For example, {"title": "shorter"}. null removes a field. @FILE reads the patch from a file, @- from stdin.
    #[arg(long, value_name = "JSON|@FILE")]
    patch: Option<String>,
    /// Give the post a new id if another post is stored under its current one (`id_conflict`)
    #[arg(long, conflicts_with_all = ["patch", "undo"])]
    new_id: bool,
    /// Revert to the body before the edit; possible until the dead letter is replayed
    #[arg(long, conflicts_with_all = ["patch", "even_if_invalid"])]
    undo: bool,
    /// Apply the edit even if the result is not a post that a worker would accept
    #[arg(long)]
    even_if_invalid: bool,
    /// Print one JSON object to stdout: {"id", "outcome", "detail"}
    ///
    /// The outcome is edited, reverted, unchanged, denied or failed.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    servers: ServerArgs,
}

/// Edits it.
///
/// # Errors
/// When it was asked wrongly, there is no such dead letter, or nothing could be done.
pub(in crate::dlq) async fn run(args: EditArgs) -> anyhow::Result<Exit> {
    let patch = match args.new_id {
        true => Some(serde_json::json!({ "id": PostId::new() })),
        false => args.patch.as_deref().map(read_patch).transpose()?,
    };
    if patch.is_none() && !args.undo && !preview::can_ask() {
        let problem = "there is no terminal for an editor: use --patch '{\"title\": \"…\"}' or --patch @FILE";
        return Err(ConfigError::new(COMMAND, problem).into());
    }
    let dead = DeadLetters::new(&args.servers.broker, COMMAND)?;
    let store = Store::new(&args.servers.database)?;
    store
        .check_schema()
        .await
        .map_err(|error| anyhow::Error::new(error).context("nothing was done, because it could not be recorded"))?;
    let named = resolve(&dead, &args.id).await?;
    let found = match Found::look(&named, &dead, &store).await {
        Err(error) if error.is::<NoSuchDeadLetter>() => {
            report!("{error}");
            return Ok(Exit::Partial);
        }
        found => found?,
    };
    let (kind, by) = match (&patch, args.undo) {
        (_, true) => (OperationKind::EditUndo, "undo"),
        (Some(_), _) if args.new_id => (OperationKind::Edit, "new id"),
        (Some(_), _) => (OperationKind::Edit, "patch"),
        (None, _) => (OperationKind::Edit, "editor"),
    };
    let asked = serde_json::json!({ "id": named.text(), "by": by, "even_if_invalid": args.even_if_invalid });
    let audit_log = AuditLog::new(store, kind, &dead.prefix, asked).await;
    let dead_letter = found.dead_letter.summary()?;
    let mut edit = Edit { args, dead, audit_log, dead_letter };
    let step = if edit.args.undo { edit.undo(found).await } else { edit.change(found, patch).await };
    let told = edit.take(step?).await;
    edit.audit_log.close().await;
    told
}

/// A patch, as it stands on the command line or in a file.
fn read_patch(given: &str) -> anyhow::Result<Value> {
    let wrong = |problem: String| ConfigError::new("--patch", problem);
    let text = match given.strip_prefix('@') {
        None => given.to_owned(),
        Some("-") => std::io::read_to_string(std::io::stdin()).map_err(|error| wrong(format!("stdin: {error}")))?,
        Some(file) => std::fs::read_to_string(file).map_err(|error| wrong(format!("{}: {error}", line(file))))?,
    };
    let patch: Value = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("it is not JSON ({error}); use the form {{\"title\": \"shorter\"}}")))?;
    match patch {
        Value::Object(_) => Ok(patch),
        _ => Err(wrong("it must be a JSON object, like {\"title\": \"shorter\"}".to_owned()).into()),
    }
}

/// What has to be done, after all was thought about.
enum Step {
    /// Nothing, and why.
    Nothing(&'static str),
    /// It is refused, and why.
    Deny(String),
    /// This.
    Do(Box<Replacement>),
}

struct Edit {
    args: EditArgs,
    dead: DeadLetters,
    audit_log: AuditLog,
    /// What is known of the dead letter as it was found.
    dead_letter: DeadLetterSummary,
}

impl Edit {
    async fn change(&self, found: Found, patch: Option<Value>) -> anyhow::Result<Step> {
        let Found { dead_letter, original, both } = found;
        let before = dead_letter.bytes()?;
        let after = match patch {
            Some(patch) => patched(&before, &patch).map(Some),
            None => self.by_hand(&before, &dead_letter).await?,
        };
        let leftover = if both { original.map(|(_, original)| original.digest()) } else { None };
        let new = match after {
            Err(reason) => return Ok(Step::Deny(reason)),
            Ok(after) => after.filter(|after| !same(&before, after)),
        };
        if let Some(after) = &new
            && let Some(reason) = self.refusal(&before, after, &dead_letter).await?
        {
            return Ok(Step::Deny(reason));
        }
        if new.is_none() && !both {
            return Ok(Step::Nothing("the body is unchanged; nothing was done"));
        }
        let new = new.map(|after| dead_letter.clone().edited(after, self.audit_log.id()));
        let (summary, undoes) = (self.dead_letter.clone(), Vec::new());
        let old = dead_letter;
        Ok(Step::Do(Box::new(Replacement { dead_letter: summary, old, new, leftover, outcome: EDITED, undoes })))
    }

    /// Why a body cannot take the other's place.
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
            format!("no worker would accept it ({}); use --even-if-invalid to apply it anyway", faults.join("; "))
        }))
    }

    /// Why a post may not have another id. It may only where another post is stored under its own: what was accepted
    /// under that id is then accounted for without it.
    async fn keeps_its_id(&self, was: PostId, is: Option<PostId>, before: &[u8]) -> anyhow::Result<Option<String>> {
        let stored = self.audit_log.contents(&[Some(was), is].into_iter().flatten().collect::<Vec<_>>()).await?;
        let says = Post::from_message(before, Some(&was.to_string()), OffsetDateTime::UNIX_EPOCH).ok();
        Ok(match (stored.get(&was), is) {
            (None, _) => {
                Some(format!("the id of a post must not change unless another post is stored under it; it is {was}"))
            }
            (Some(row), _) if says.is_some_and(|post| Content::of(&post) == row.content) => {
                Some(format!("this same post is stored under {was}: it needs no new id, and can be dropped"))
            }
            (Some(_), None) => Some(format!("the post must have an id; it was {was}")),
            (Some(_), Some(is)) if stored.contains_key(&is) => Some(format!("a post is stored under {is} already")),
            (Some(_), Some(_)) => None,
        })
    }

    /// The body as a person leaves it; `None`: as it was. Who makes a mistake may go on where they were.
    async fn by_hand(
        &self,
        before: &[u8],
        dead_letter: &Transcript,
    ) -> anyhow::Result<Result<Option<Vec<u8>>, String>> {
        let Ok(text) = std::str::from_utf8(before) else {
            return Ok(Err("the body is not UTF-8, so no editor can show it; export it with `sluice dlq export --id \
                           ID`, fix it, and import it with `sluice dlq import`"
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
            let after = compact(&wrote, text);
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

    async fn undo(&self, found: Found) -> anyhow::Result<Step> {
        let Found { dead_letter, original, both } = found;
        let Some(operation) = dead_letter.edited_by() else {
            return Ok(Step::Nothing("it was not edited; nothing was done"));
        };
        let Some((kept, original)) = original else {
            return Ok(Step::Deny(format!(
                "operation {} edited it, but the audit log has no copy of the original",
                line(operation)
            )));
        };
        if dead_letter.summary()?.replays != original.summary()?.replays {
            return Ok(Step::Deny(format!("it was replayed after the edit (operation {})", line(operation))));
        }
        let (summary, undoes) = (self.dead_letter.clone(), vec![kept]);
        let (old, new, leftover) = match both {
            // The original is there: only the edited one has to go.
            true => (original, None, Some(dead_letter.digest())),
            false => (dead_letter, Some(original), None),
        };
        Ok(Step::Do(Box::new(Replacement { dead_letter: summary, old, new, leftover, outcome: REVERTED, undoes })))
    }

    /// Takes the step, records it, tells it.
    async fn take(&mut self, step: Step) -> anyhow::Result<Exit> {
        let replacement = match step {
            Step::Nothing(words) => return self.report("unchanged", words, Exit::Done),
            Step::Deny(reason) => return self.deny(&reason).await,
            Step::Do(replacement) => replacement,
        };
        let outcome = replacement.outcome;
        let named = replacement.new.as_ref().and_then(|new| Some(new.summary().ok()?.id));
        match replacement.run(&self.dead, &mut self.audit_log).await {
            Ok(()) => {
                let operation = self.audit_log.id();
                let mut words = format!("recorded as operation {operation}");
                let named = named.unwrap_or_else(|| self.dead_letter.id.clone());
                if named != self.dead_letter.id {
                    words.push_str(&format!(
                        "; it has no message id, so its id comes from its content and is {named} \
                                             now"
                    ));
                }
                if outcome == EDITED {
                    let undo = hint::command("dlq edit --undo", &self.dead.prefix, &named);
                    words.push_str(&format!("; `{undo}` reverts it"));
                }
                self.report(outcome, &words, Exit::Done)
            }
            Err(NotReplaced::Stale) => self.deny("it was changed or removed in the meantime").await,
            Err(NotReplaced::Failed(error)) => self.report("failed", &format!("{error:#}"), Exit::Failed),
        }
    }

    async fn deny(&mut self, reason: &str) -> anyhow::Result<Exit> {
        self.audit_log.deny(std::iter::once(&self.dead_letter), reason).await;
        self.report("denied", &format!("{reason}; nothing was done"), Exit::Failed)
    }

    fn report(&self, outcome: &str, words: &str, exit: Exit) -> anyhow::Result<Exit> {
        let id = &self.dead_letter.id;
        if self.args.json {
            report_json(id, outcome, words);
        } else if exit == Exit::Done {
            // What is done is done, whether or not anybody reads it.
            let _ = output::print(|out| writeln!(out, "{}: {outcome} ({})", line(id), line(words)));
        } else {
            report!("{}: {outcome}: {}", line(id), line(words));
        }
        Ok(exit)
    }
}

/// Outcomes, in the audit log and in `--json`.
const EDITED: &str = "edited";
const REVERTED: &str = "reverted";

fn patched(before: &[u8], patch: &Value) -> Result<Vec<u8>, String> {
    let mut json: Value = serde_json::from_slice(before)
        .map_err(|error| format!("the body is not JSON ({error}), so it cannot be patched; edit it without --patch"))?;
    json_patch::merge(&mut json, patch);
    serde_json::to_vec(&json).map_err(|error| error.to_string())
}

/// JSON without the spaces that made it readable; any other text without the line break that editors add.
fn compact(wrote: &[u8], before: &str) -> Vec<u8> {
    if let Ok(json) = serde_json::from_slice::<Value>(wrote)
        && let Ok(compact) = serde_json::to_vec(&json)
    {
        return compact;
    }
    let added = !before.ends_with('\n');
    let trimmed = wrote.strip_suffix(b"\n").filter(|_| added);
    trimmed.unwrap_or(wrote).to_vec()
}

/// Whether two bodies mean the same.
fn same(before: &[u8], after: &[u8]) -> bool {
    let json = |body| serde_json::from_slice::<Value>(body).ok();
    before == after || matches!((json(before), json(after)), (Some(before), Some(after)) if before == after)
}
