//! `sluice dlq edit`: a dead letter's body fixed by hand, so that its replay succeeds. The audit log keeps the
//! original, and the edit can be reverted until the dead letter is replayed.

pub(crate) mod body;
mod by_hand;
pub(in crate::dlq) mod editor;
pub(crate) mod found;
pub(crate) mod replace;
pub(crate) mod step;

use clap::Args;
use serde_json::Value;
use sluice_core::config::{ConfigError, ServerArgs};
use sluice_core::post::PostId;
use sluice_mysql::{OperationKind, Store};
use sluice_rabbit::dead_letters::DeadLetterSummary;
use sluice_runtime::exit::Exit;

use crate::ask;
use crate::browse::DeadLetters;
use crate::dlq::report::audit_log::AuditLog;
use crate::dlq::report::outcome::report_json;
use crate::dlq::select::named::resolve;
use crate::hint;
use crate::visible::line;
use found::{Found, NoSuchDeadLetter};
use replace::NotReplaced;
use sluice_runtime::output::{self, report};
use step::{EDITED, Step};

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

pub(in crate::dlq) async fn run(args: EditArgs) -> anyhow::Result<Exit> {
    let patch = match args.new_id {
        true => Some(serde_json::json!({ "id": PostId::new() })),
        false => args.patch.as_deref().map(read_patch).transpose()?,
    };
    if patch.is_none() && !args.undo && !ask::can_ask() {
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
    let step = if edit.args.undo { step::undone(found) } else { edit.change(found, patch).await };
    let exit = edit.take(step?).await;
    edit.audit_log.close().await;
    exit
}

/// A patch, from the command line or a file.
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

struct Edit {
    args: EditArgs,
    dead: DeadLetters,
    audit_log: AuditLog,
    /// What is known of the dead letter as it was found.
    dead_letter: DeadLetterSummary,
}

impl Edit {
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
            // If nobody reads stdout any more, the outcome is the same.
            let _ = output::print(|out| writeln!(out, "{}: {outcome} ({})", line(id), line(words)));
        } else {
            report!("{}: {outcome}: {}", line(id), line(words));
        }
        Ok(exit)
    }
}
