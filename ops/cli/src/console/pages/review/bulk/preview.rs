//! How many posts with the same text wait, and the first of them.

use askama::Template;
use axum::extract::{Path, State};
use sluice_core::moderation::CaseKind;
use sluice_mysql::review::StoredCase;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::super::app::Pages;
use super::super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::super::request::{Visit, Who};
use super::super::asked::{self, failed, no_case};
use super::super::comfort::Comfort;
use super::shown::{MOST, pack};
use crate::policies::Policy;
use crate::review::decision::act;
use crate::times::span;

/// How many posts the preview shows.
const SAMPLES: usize = 3;
/// The longest text of a sample, in characters.
const SAMPLE_MAX_CHARS: usize = 600;

/// `templates/same_text.html`.
#[derive(Template)]
#[template(path = "same_text.html")]
struct PreviewPage {
    frame: Frame,
    case: StoredCase,
    /// How many wait.
    count: usize,
    /// How many of them one form takes.
    taken: usize,
    samples: Vec<Sample>,
    /// The category for which the texts are covered.
    covered: Option<String>,
    policies: Vec<Policy>,
    cases: String,
    act: Uuid,
}

/// One of the posts.
struct Sample {
    case: StoredCase,
    text: String,
}

impl Page for PreviewPage {}

/// Shows it.
pub(crate) async fn show(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    visit: Visit,
    who: Who,
    comfort: Comfort,
) -> Answered {
    let store = &pages.0.store;
    let failed = |failure| failed(&pages, failure);
    let case = store.case(asked::id(&id)?).await.map_err(failed)?.ok_or_else(no_case)?;
    if case.kind != CaseKind::Held {
        let problem = "It is an appeal or a second review, and each of those is decided by itself.";
        return Err(Refusal::invalid(problem.to_owned()));
    }
    let chosen = act::choose(store, &case, &who.name).await.map_err(failed)?;
    let mut samples = Vec::with_capacity(SAMPLES);
    for id in chosen.iter().take(SAMPLES) {
        let Some(case) = store.case(*id).await.map_err(failed)? else { continue };
        let content = store.post(case.post).await.map_err(failed)?.map(|post| post.content).unwrap_or_default();
        samples.push(Sample { case, text: content.chars().take(SAMPLE_MAX_CHARS).collect() });
    }
    visit.show(&PreviewPage {
        frame: visit.frame("The same text"),
        covered: comfort.covers(case.findings.categories.iter().map(String::as_str)),
        case,
        count: chosen.len(),
        taken: chosen.len().min(MOST),
        samples,
        policies: pages.0.policies.now().list().to_vec(),
        cases: pack(&chosen),
        act: Uuid::now_v7(),
    })
}

/// For the template.
fn age(at: &OffsetDateTime) -> String {
    span(OffsetDateTime::now_utc() - *at)
}
