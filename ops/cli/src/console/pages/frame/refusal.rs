//! Why something is not shown, or not done, as a page.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::page_frame::Frame;
use crate::console::access::Role;

/// A refusal. The guard shows it in the frame of whoever asked.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    /// What it is.
    pub(crate) title: &'static str,
    detail: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    frame: Frame,
    refusal: &'a Refusal,
}

impl Refusal {
    /// A refusal: what it is, and why, with what to do.
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: String) -> Self {
        Self { status, title, detail }
    }

    /// 404.
    pub(crate) fn not_found(detail: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// 422: what was typed cannot be.
    pub(crate) fn invalid(detail: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be", detail)
    }

    /// 503: a server is down.
    pub(crate) fn down(title: &'static str, detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, title, detail)
    }

    /// 403: the role is not enough.
    pub(crate) fn role(has: Role, needed: Role) -> Self {
        let detail = format!("This takes the role {needed}. You are logged in as {has}.");
        Self::new(StatusCode::FORBIDDEN, "You may not do this", detail)
    }

    /// 401: nobody is logged in. Only where the guard was left out.
    pub(crate) fn nobody() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "You are not logged in", "Log in first.".to_owned())
    }

    /// As a page, or for the script as the status alone.
    pub(crate) fn shown(&self, frame: Frame, is_part: bool) -> Response {
        let page = RefusalPage { frame, refusal: self };
        match page.render() {
            Ok(text) if !is_part => (self.status, Html(text)).into_response(),
            _ => self.status.into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
