//! One operation: how it goes, and what became of each dead letter.

use askama::Template;
use axum::extract::{Path, State};
use serde_json::Value;
use sluice_mysql::PastReplay;
use url::form_urlencoded;

use super::super::app::Pages;
use super::super::dead_letters::encode;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::Visit;
use super::super::work::Running;
use crate::dlq::report::progress::Steps;
use crate::dlq::report::wording::DROP;
use crate::replays::fate::{Counts, DiedAgain, Fate};
use crate::replays::list::in_words;
use crate::times::{shown, span};
use time::OffsetDateTime;

/// The most dead letters that the page names, those first that did not go well.
const LINES: usize = 100;

/// `templates/operation.html`.
#[derive(Template)]
#[template(path = "operation.html", blocks = ["operation"])]
struct OperationPage {
    frame: Frame,
    id: String,
    kind: String,
    by: String,
    begun: String,
    words: String,
    /// How it goes, where this console runs it.
    steps: Option<Steps>,
    stopping: bool,
    /// What became of it, as far as that is recorded.
    past: Option<Past>,
    /// Why that is not known.
    problem: Option<String>,
    /// The way to a plan of the same again.
    again: Option<String>,
}

/// The outcomes of a replay.
struct Past {
    counts: Counts,
    lines: Vec<PastLine>,
}

/// What became of one dead letter.
struct PastLine {
    id: String,
    outcome: &'static str,
    detail: String,
    /// The kind of dead letter that it is again, by its fingerprint.
    kind: Option<String>,
}

impl Page for OperationPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "operation").then(|| self.as_operation().render())
    }
}

impl OperationPage {
    /// Whether what it did can be undone.
    fn is_drop(&self) -> bool {
        self.kind == DROP.kind.as_str()
    }

    /// Whether something may still change.
    fn is_live(&self) -> bool {
        self.steps.as_ref().is_some_and(|steps| !steps.is_over)
    }
}

/// Shows it.
pub(crate) async fn show(State(pages): State<Pages>, Path(id): Path<String>, visit: Visit) -> Answered {
    let running = pages.0.work.of(&id);
    let steps = running.as_ref().map(|running| running.progress.now());
    let over = steps.as_ref().is_none_or(|steps| steps.is_over);
    let (mut past, mut problem, mut recorded) = (None, None, None);
    // Outcomes of one that runs are in its steps; to look for them here would browse the dead letters.
    if over {
        match read(&pages, &id).await {
            Ok(found) => (recorded, past) = found.map_or((None, None), |(replay, past)| (Some(replay), Some(past))),
            Err(error) => problem = Some(format!("{error:#}")),
        }
    }
    let page = match (running, recorded) {
        (Some(running), recorded) => page(&visit, running, steps, recorded.as_ref()),
        (None, Some(replay)) => OperationPage {
            frame: visit.frame("Operation"),
            kind: "replay".to_owned(),
            by: replay.actor.clone(),
            begun: shown(Some(replay.begun_at)),
            words: in_words(&replay.selection),
            steps: None,
            stopping: false,
            past: None,
            problem: None,
            again: again(&replay.selection),
            id: replay.id,
        },
        (None, None) => {
            let unknown =
                || Refusal::not_found("No replay has this id. Other operations are in the audit log.".to_owned());
            return Err(problem.map_or_else(unknown, |problem| Refusal::down("MySQL or RabbitMQ is down", problem)));
        }
    };
    visit.show(&OperationPage { past, problem, ..page })
}

fn page(visit: &Visit, running: Running, steps: Option<Steps>, recorded: Option<&PastReplay>) -> OperationPage {
    let lasts = span(OffsetDateTime::now_utc() - running.begun_at);
    OperationPage {
        frame: visit.frame("Operation"),
        kind: running.kind.to_owned(),
        by: running.by,
        begun: format!("{}, {lasts} ago", shown(Some(running.begun_at))),
        words: running.words,
        stopping: running.stop.is_cancelled(),
        steps,
        past: None,
        problem: None,
        again: recorded.and_then(|replay| again(&replay.selection)),
        id: running.id,
    }
}

/// The replay and its outcomes; none where no replay has this id.
async fn read(pages: &Pages, id: &str) -> anyhow::Result<Option<(PastReplay, Past)>> {
    let store = &pages.0.store;
    let found = store.replays(&pages.0.dead.prefix, id, 2).await.map_err(|failure| store.with_context(failure))?;
    let Some(replay) = found.into_iter().find(|replay| replay.id == id) else { return Ok(None) };
    let died = DiedAgain::look(&pages.0.dead.patient(pages.0.stop.clone()), Some(id)).await?;
    let mut past = Past { counts: Counts::default(), lines: Vec::new() };
    let mut fine = Vec::new();
    crate::replays::each(store, id, &died, |item, fate| {
        past.counts.add(&fate);
        let lines = if matches!(fate, Fate::Recorded | Fate::AlreadyRecorded) { &mut fine } else { &mut past.lines };
        if lines.len() < LINES {
            lines.push(PastLine::new(item.dead_letter, &fate));
        }
    })
    .await?;
    let room = LINES - past.lines.len();
    past.lines.extend(fine.into_iter().take(room));
    Ok(Some((replay, past)))
}

impl PastLine {
    fn new(id: String, fate: &Fate) -> Self {
        let kind = match fate {
            Fate::FailedAgain(reason) => Some(reason.fingerprint.clone()),
            _ => None,
        };
        Self { id, outcome: fate.name(), detail: told(fate), kind }
    }
}

fn told(fate: &Fate) -> String {
    match fate {
        Fate::FailedAgain(reason) => format!("{} {}: {}", reason.class, reason.code, reason.message),
        Fate::ReplayedAgain(operation) | Fate::Dropped(operation) => format!("by operation {operation}"),
        Fate::Left(detail) | Fate::NotReplayed(detail) => detail.clone(),
        Fate::Recorded | Fate::AlreadyRecorded | Fate::Waiting => String::new(),
    }
}

/// For the template.
fn at(at: &OffsetDateTime) -> String {
    shown(Some(*at))
}

/// The same selection, for another plan.
fn again(selection: &Value) -> Option<String> {
    let filters = selection["filters"].as_object()?;
    let mut query = form_urlencoded::Serializer::new("/operations/plan?action=replay&".to_owned());
    for (name, value) in filters {
        let name = if name == "ids" { "id" } else { name };
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        // A page's filters have one value each.
        let [value] = values else { return None };
        query.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    Some(query.finish())
}
