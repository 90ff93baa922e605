//! A dead letter's body is fixed on its page: as `sluice dlq edit` does it, with the change shown before.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use sluice_mysql::{OperationKind, Store};

use super::super::app::{Pages, unrecorded};
use super::super::frame::{Answered, Frame, Page, Refusal, see_other};
use super::super::request::{Fields, Visit, Who};
use super::change::{Change, changes};
use super::editable::{Editable, escaped, seal};
use super::query::encode;
use crate::dlq::edit::replace::{NotReplaced, Replacement};
use crate::dlq::edit::step::{self, Step};
use crate::dlq::report::audit_log::AuditLog;

/// The longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// `templates/edit.html`.
#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage {
    frame: Frame,
    id: String,
    /// Which dead letter is shown.
    digest: String,
    /// What stands in the field.
    text: String,
    reason: String,
    /// Why nothing was done.
    notice: Option<String>,
    /// What the text changes, once that was asked for.
    changes: Option<Vec<Change>>,
    /// Of the text whose change is shown; none: it cannot be applied.
    seal: Option<String>,
    is_conflict: bool,
    undo: Option<Vec<Change>>,
}

impl Page for EditPage {}

/// What a form asks for.
struct Asked {
    id: String,
    step: Asking,
    text: Option<String>,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Show,
    NewId,
    Replace,
    Undo,
}

/// The form.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let id = visit.query.get("id").ok_or_else(no_id)?;
    let editable = Editable::look(&pages, &pages.recorder().await?, id).await?;
    visit.show(&EditPage::new(&visit, id, &editable))
}

/// Shows what a text would change, or changes it.
pub(crate) async fn edit(State(pages): State<Pages>, visit: Visit, who: Who, form: Fields) -> Answered {
    let asked = Asked::read(&form)?;
    let store = pages.recorder().await?;
    let editable = Editable::look(&pages, &store, &asked.id).await?;
    let audit_log = asked.audit_log(&pages, &who, store);
    let mut page = EditPage::new(&visit, &asked.id, &editable);
    page.reason.clone_from(&asked.reason);
    let mut problem = None;
    if let Some(text) = &asked.text {
        page.text = match asked.step {
            Asking::NewId => editable.with_new_id(text).map_err(Refusal::invalid)?,
            _ => text.clone(),
        };
    }
    let after = editable.typed(&page.text);
    if let Some(after) = &after {
        let message_id = editable.found.dead_letter.properties.message_id.as_deref();
        let refused = step::refusal(&editable.before, after, message_id, &audit_log).await;
        problem = refused.map_err(|error| unrecorded(format!("{error:#}")))?.map(|refused| format!("{refused}."));
    }
    if asked.text.is_some() {
        page.changes = Some(changes(&editable.before, after.as_deref().unwrap_or(&editable.before)));
        page.seal = (after.is_some() && problem.is_none()).then(|| seal(&page.text));
    }
    let stale = form.raw("digest") != page.digest;
    let unseen = asked.step == Asking::Replace && page.seal.as_deref() != Some(form.raw("seal"));
    let acts = matches!(asked.step, Asking::Replace | Asking::Undo);
    let (status, words) = match problem {
        _ if stale => {
            (StatusCode::CONFLICT, "It was changed meanwhile. Nothing was done; look at it again.".to_owned())
        }
        Some(problem) => (StatusCode::UNPROCESSABLE_ENTITY, problem),
        None if unseen => (StatusCode::CONFLICT, "What this text changes was not shown yet: see below.".to_owned()),
        None if acts && asked.reason.is_empty() => {
            (StatusCode::UNPROCESSABLE_ENTITY, "reason: say why, for the audit log.".to_owned())
        }
        None if acts => {
            let step = match asked.step {
                Asking::Undo => step::undone(editable.found),
                _ => step::changed(editable.found, after, audit_log.id()),
            };
            return match step.map_err(|error| unrecorded(format!("{error:#}")))? {
                Step::Do(replacement) => pages.replace(*replacement, audit_log).await,
                Step::Nothing(why) => Err(nothing(why)),
                Step::Deny(why) => Err(nothing(&why)),
            };
        }
        None => return visit.show(&page),
    };
    page.notice = Some(words);
    visit.show_as(status, &page)
}

impl Pages {
    /// Replaces the dead letter, and leads to the new one.
    async fn replace(&self, replacement: Replacement, mut audit_log: AuditLog) -> Answered {
        let new = replacement.new.as_ref().and_then(|new| Some(new.summary().ok()?.id));
        let id = new.unwrap_or_else(|| replacement.dead_letter.id.clone());
        let dead = self.0.dead.patient(self.0.stop.clone());
        // Whoever leaves does not interrupt it.
        let replacing = self.0.tasks.spawn(async move {
            let done = replacement.run(&dead, &mut audit_log).await;
            audit_log.close().await;
            done
        });
        let done = replacing.await.map_err(|error| Refusal::down("The edit failed", error.to_string()))?;
        self.0.snapshot.hurry();
        match done {
            Ok(()) => Ok(see_other(&format!("/dead-letters/one?id={}", encode(&id)))),
            Err(NotReplaced::Stale) => Err(nothing("It was changed or removed in the meantime. Load the page again.")),
            Err(NotReplaced::Failed(error)) => Err(Refusal::down("The edit failed", format!("{error:#}"))),
        }
    }
}

impl EditPage {
    fn new(visit: &Visit, id: &str, editable: &Editable) -> Self {
        Self {
            frame: visit.frame("Edit a dead letter"),
            id: id.to_owned(),
            digest: editable.digest(),
            text: editable.text.clone(),
            reason: String::new(),
            notice: None,
            changes: None,
            seal: None,
            is_conflict: editable.is_conflict(),
            undo: editable.undo(),
        }
    }
}

impl Asked {
    fn read(form: &Fields) -> Result<Self, Refusal> {
        let step = match form.raw("step") {
            "" | "show" => Asking::Show,
            "new-id" => Asking::NewId,
            "replace" => Asking::Replace,
            "undo" => Asking::Undo,
            _ => return Err(Refusal::invalid("step: show, new-id, replace or undo.".to_owned())),
        };
        let id = form.get("id").ok_or_else(no_id)?.to_owned();
        // Browsers write the line breaks of a field in their own way.
        let text = (step != Asking::Undo).then(|| escaped(&form.raw("body").replace("\r\n", "\n")));
        let reason = form.get("reason").unwrap_or_default().chars().take(REASON_MAX_CHARS).collect();
        Ok(Self { id, step, text, reason })
    }

    fn audit_log(&self, pages: &Pages, who: &Who, store: Store) -> AuditLog {
        let (kind, by) = match self.step {
            Asking::Undo => (OperationKind::EditUndo, "undo"),
            Asking::Show | Asking::NewId | Asking::Replace => (OperationKind::Edit, "page"),
        };
        let asked = json!({ "id": self.id, "by": by, "reason": self.reason, "role": who.role.as_str() });
        AuditLog::of(who.name.clone(), store, kind, &pages.0.dead.prefix, asked)
    }
}

fn nothing(why: &str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "Nothing was done", why.to_owned())
}

fn no_id() -> Refusal {
    Refusal::invalid("id: it is missing.".to_owned())
}
