//! Who looks at what. Made by the guard, which has checked it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::fields::Fields;
use crate::console::access::Role;
use crate::console::pages::frame::{self, Answered, Frame, Page, Refusal};

/// The header by which the script asks for one part of a page, with the part's id.
const PART: &str = "sluice-part";

/// A person who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// Their name, as operations record it.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
}

/// One request of a person.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Who is logged in; none on the pages for everybody.
    pub(crate) who: Option<Who>,
    /// The path.
    pub(crate) path: String,
    /// What stands behind it in the address.
    pub(crate) query: Fields,
    part: Option<String>,
    known: Option<String>,
}

impl Visit {
    /// Of a request.
    pub(crate) fn new(parts: &Parts, who: Option<Who>) -> Self {
        Self {
            who,
            path: parts.uri.path().to_owned(),
            query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            part: text(&parts.headers, PART),
            known: text(&parts.headers, header::IF_NONE_MATCH.as_str()),
        }
    }

    /// Whether the script asks for a part alone: nobody did anything.
    pub(crate) fn is_poll(headers: &HeaderMap) -> bool {
        headers.contains_key(PART)
    }

    /// Whether the script asks for this part alone.
    pub(crate) fn asks_for(&self, part: &str) -> bool {
        self.part.as_deref() == Some(part)
    }

    /// The frame of a page with this title.
    pub(crate) fn frame(&self, title: &str) -> Frame {
        let who = self.who.as_ref().map(|who| (who.name.clone(), who.role));
        Frame::new(title, &self.path, who)
    }

    /// Answers with the page, or with the part of it that was asked for.
    pub(crate) fn show(&self, page: &impl Page) -> Answered {
        match &self.part {
            None => frame::whole(StatusCode::OK, page),
            Some(part) => frame::part(page, part, self.known.as_deref()),
        }
    }

    /// Answers with the page under another status than 200.
    pub(crate) fn show_as(&self, status: StatusCode, page: &impl Page) -> Answered {
        frame::whole(status, page)
    }

    /// A refusal as a page; for the script, which asks for a part, its status is enough.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Response {
        refusal.shown(self.frame(refusal.title), self.part.is_some())
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self::new(parts, None)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Visit>().and_then(|visit| visit.who.clone()).ok_or_else(Refusal::nobody)
    }
}
