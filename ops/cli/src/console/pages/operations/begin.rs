//! Beginning an operation that was planned, and stopping one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::super::app::Pages;
use super::super::frame::{Answered, Refusal, see_other};
use super::super::request::{Fields, Who};
use super::super::work::{Planned, Running};
use crate::dlq::operation::Action;
use crate::dlq::operation::batch::Chosen;
use crate::dlq::report::audience::Audience;
use crate::dlq::report::audit_log::AuditLog;

/// The longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// Begins what was planned.
pub(crate) async fn begin(State(pages): State<Pages>, who: Who, form: Fields) -> Answered {
    // What was typed is checked before the plan is taken: whoever goes back can send it again.
    let choice = Choice::read(&form)?;
    let store = pages.recorder().await?;
    let plan = form.get("plan").and_then(|id| id.parse().ok()).and_then(|id| pages.0.plans.take(id));
    let Planned { mut action, mut request, words, shown, unknown } = plan.ok_or_else(no_plan)?;
    if let Action::Replay(options) = &mut action {
        (options.canary, options.abort_over) = (choice.canary, choice.abort_over);
    }
    (request.rate, request.reason) = (choice.rate, choice.reason);
    let wording = action.wording();
    let mut asked = request.asked(&action);
    asked["role"] = who.role.as_str().into();
    let prefix = &pages.0.dead.prefix;
    let audit_log = AuditLog::of(who.name.clone(), store, wording.kind, prefix, asked);
    let (id, stop) = (audit_log.id().to_owned(), pages.0.stop.child_token());
    let running = Running::new(id, &wording, who.name, words, stop);
    let dead = pages.0.dead.patient(running.stop.clone());
    let operation = action.begin(&request, dead, audit_log, Chosen::shown(shown, unknown));
    let operation = operation.map_err(|error| Refusal::down("Nothing was done", format!("{error:#}")))?;
    let (operation, audience) = (operation.until(pages.0.stop.clone()), Audience::Page(Arc::clone(&running.progress)));
    Ok(pages.run(running, operation.run(wording, audience)))
}

/// Stops an operation between two batches.
pub(crate) async fn stop(State(pages): State<Pages>, Path(id): Path<String>) -> Answered {
    let running = pages.0.work.of(&id).ok_or_else(|| {
        let detail = "This console does not run it. It may have ended, or another console or a command runs it.";
        Refusal::new(StatusCode::CONFLICT, "It cannot be stopped here", detail.to_owned())
    })?;
    running.stop.cancel();
    Ok(see_other(&format!("/operations/{}", running.id)))
}

/// What a form chooses.
struct Choice {
    canary: Option<u32>,
    abort_over: f64,
    rate: Option<u32>,
    reason: Option<String>,
}

impl Choice {
    fn read(form: &Fields) -> Result<Self, Refusal> {
        let number = |name: &str| match form.get(name).map(str::parse::<u32>) {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(Refusal::invalid(format!("{name}: a number from 1."))),
        };
        let share = form.get("abort_over").map_or(Ok(10.0), str::parse::<f64>).ok();
        let abort_over = share.filter(|share| (0.0..=100.0).contains(share));
        let reason = form.get("reason").map(|reason| reason.chars().take(REASON_MAX_CHARS).collect());
        Ok(Self {
            canary: number("canary")?,
            abort_over: abort_over.ok_or_else(|| Refusal::invalid("abort_over: a share from 0 to 100.".to_owned()))?,
            rate: number("rate")?,
            reason,
        })
    }
}

fn no_plan() -> Refusal {
    let detail = "The plan was used already, is older than half an hour, or was of a console that has ended. Plan again: \
                  the dead letters may have changed.";
    Refusal::new(StatusCode::CONFLICT, "The plan is gone", detail.to_owned())
}
