//! The next case: claimed for whoever asks, with the token that their form brought.

use axum::extract::State;
use axum::response::Response;
use sluice_mysql::review::{Ask, Claimed};
use url::form_urlencoded;
use uuid::Uuid;

use super::super::app::Pages;
use super::super::frame::{Answered, Refusal, see_other};
use super::super::request::{Fields, Who};
use super::asked::{self, failed};

/// What to go on with.
pub(super) struct Onward {
    /// The token of the next claim.
    token: Uuid,
    /// The only queue that is wanted.
    queue: Option<String>,
}

impl Onward {
    /// Reads it from a form.
    ///
    /// # Errors
    /// 422 when the token is missing.
    pub(super) fn read(form: &Fields) -> Result<Self, Refusal> {
        Ok(Self { token: asked::uuid(form, "next")?, queue: asked::queue(form)? })
    }

    /// The queue.
    pub(super) fn queue(&self) -> Option<&str> {
        self.queue.as_deref()
    }

    /// Claims the next case and leads to it. `after`: the decision that was just made, or the second opinion.
    ///
    /// # Errors
    /// 503 when the database does not answer.
    pub(super) async fn go(&self, pages: &Pages, who: &Who, after: Option<Uuid>) -> Answered {
        let store = &pages.0.store;
        // A form that is sent again after its claim has ended must not be given another case.
        let past = store.claim_of(self.token).await.map_err(|failure| failed(pages, failure))?;
        if let Some(past) = past.filter(|past| past.ended_at.is_some()) {
            return Ok(self.to_case(past.case, None));
        }
        let ask = Ask { by: &who.name, role: asked::role(who), token: self.token, queue: self.queue() };
        match store.claim_next(ask).await.map_err(|failure| failed(pages, failure))? {
            Claimed::Case(case) => Ok(self.to_case(case.case, after)),
            Claimed::Nothing(_) => Ok(self.to("/review".to_owned(), after, true)),
        }
    }

    /// To a case that is this person's.
    pub(super) fn to_case(&self, case: Uuid, after: Option<Uuid>) -> Response {
        self.to(format!("/review/cases/{case}"), after, false)
    }

    fn to(&self, path: String, after: Option<Uuid>, none: bool) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let after = after.map(|id| id.to_string());
        for (name, value) in [("queue", self.queue()), ("after", after.as_deref()), ("none", none.then_some("1"))] {
            value.iter().for_each(|value| _ = query.append_pair(name, value));
        }
        let query = query.finish();
        see_other(&if query.is_empty() { path } else { format!("{path}?{query}") })
    }
}

/// `POST /review/next`.
pub(crate) async fn next(State(pages): State<Pages>, who: Who, form: Fields) -> Answered {
    Onward::read(&form)?.go(&pages, &who, None).await
}
