//! One dead letter, whole, and what can be done with it.

use std::ops::ControlFlow;

use askama::Template;
use axum::extract::State;
use sluice_core::failure::Failure;
use sluice_core::named::Named;
use sluice_mysql::ID_CONFLICT;
use sluice_rabbit::dead_letters::DeadLetter;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::super::app::Pages;
use super::super::frame::{Answered, Frame, Page, Refusal};
use super::super::request::Visit;
use super::query::encode;
use crate::dlq::browse::show::whole::Whole;
use crate::dlq::browse::show::{Shown, operations};

/// The most bytes of a body on a page.
const BODY_MAX_BYTES: usize = 48 * 1024;
/// The most dead letters of one id on a page.
const COPIES: usize = 5;

/// `templates/dead_letter.html`.
#[derive(Template)]
#[template(path = "dead_letter.html")]
struct OnePage {
    frame: Frame,
    id: String,
    copies: Vec<Copy>,
    /// Why its operations are unknown.
    no_history: Option<String>,
}

/// One of the dead letters that have the id.
struct Copy {
    whole: Whole,
    /// How many bytes of the body are not shown.
    cut: usize,
    no_post: Option<Failure>,
    is_conflict: bool,
}

impl Page for OnePage {}

/// Shows it.
pub(crate) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    let id = visit.query.get("id").ok_or_else(|| Refusal::invalid("id: it is missing.".to_owned()))?;
    let named = Named::new(id);
    let history = operations(&pages.0.store, &pages.0.dead.prefix, &named).await;
    let (known, no_history) = match &history {
        Ok(known) => (Some(known.as_slice()), None),
        Err(error) => (None, Some(error.to_string())),
    };
    // Whoever leaves does not stop others: the look ends by itself.
    let dead = pages.0.dead.patient(CancellationToken::new());
    let mut copies = Vec::new();
    let see = |dead_letter: DeadLetter| {
        if dead_letter.summary.is(&named) {
            copies.push(Copy::new(&Shown::new(&dead_letter, known), &dead_letter));
        }
        if copies.len() == COPIES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let browsed = dead.look(see).await;
    browsed.map_err(|error| Refusal::down("The dead letters cannot be read", format!("{error:#}")))?;
    if copies.is_empty() {
        let detail = "No dead letter has this id now. It may have been replayed or dropped: the audit log knows.";
        return Err(Refusal::not_found(detail.to_owned()));
    }
    visit.show(&OnePage { frame: visit.frame("Dead letter"), id: id.to_owned(), copies, no_history })
}

impl Copy {
    fn new(shown: &Shown<'_>, dead_letter: &DeadLetter) -> Self {
        let now = OffsetDateTime::now_utc();
        let mut whole = Whole::new(shown, now);
        let end = whole.body.floor_char_boundary(BODY_MAX_BYTES);
        let cut = whole.body.len() - end;
        whole.body.truncate(end);
        let no_post = dead_letter.post(now).err().map(Failure::from);
        Self { whole, cut, no_post, is_conflict: dead_letter.summary.code == ID_CONFLICT }
    }
}
