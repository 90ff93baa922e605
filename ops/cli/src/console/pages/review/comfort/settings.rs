//! The settings, and where they are kept.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use sluice_mysql::review::Findings;

use super::super::super::app::Pages;
use super::super::super::frame::Refusal;
use super::super::super::request::Who;
use super::super::super::session::kept;
use crate::visible::cut;

/// The most categories.
pub(super) const CATEGORIES_MOST: usize = 20;
/// The longest name of one, in characters.
pub(super) const CATEGORY_MAX_CHARS: usize = 50;
/// The longest title in a list, in characters.
const TITLE_MAX_CHARS: usize = 160;
/// After how many minutes without a pause a break is offered, where nothing is set.
const MINUTES: u32 = 50;

/// What one person has set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comfort {
    /// Posts with something of these categories are covered until their reader asks.
    pub(crate) cover: Vec<String>,
    /// Whether what the rules found is covered until it is pointed at or focused.
    pub(crate) mask: bool,
    /// After how many cases a break is offered; 0: never.
    pub(crate) cases: u32,
    /// After how many minutes a break is offered; 0: never.
    pub(crate) minutes: u32,
    /// Until when, in milliseconds since 1970, work does not count any more: the last offer that was answered.
    pub(crate) answered: u64,
}

/// A title in a list.
pub(crate) struct ListedTitle {
    /// What it says.
    pub(crate) text: String,
    /// The category for which it is not shown.
    pub(crate) covered: Option<String>,
    /// Whether it is shown only to whoever points at it, or has it in focus.
    pub(crate) masked: bool,
}

impl Default for Comfort {
    fn default() -> Self {
        Self { cover: Vec::new(), mask: false, cases: 0, minutes: MINUTES, answered: 0 }
    }
}

impl Comfort {
    /// The first of these categories of which posts are covered.
    pub(crate) fn covers<'a>(&self, mut categories: impl Iterator<Item = &'a str>) -> Option<String> {
        let covered = categories.find(|category| self.cover.iter().any(|cover| cover.eq_ignore_ascii_case(category)));
        covered.map(str::to_owned)
    }

    /// A title in a list: covered where the post itself would be, and masked where something was found in it.
    pub(crate) fn title(&self, title: &Option<String>, findings: &Findings) -> ListedTitle {
        let text = match title.as_deref() {
            None => "(the post is gone)".to_owned(),
            Some("") => "(no title)".to_owned(),
            Some(title) => cut(title, TITLE_MAX_CHARS),
        };
        let covered = self.covers(findings.categories.iter().map(String::as_str));
        ListedTitle { text, covered, masked: self.mask && findings.in_title }
    }

    /// The header that keeps it.
    pub(super) fn keep(&self, pages: &Pages, headers: &HeaderMap, who: &Who) -> (header::HeaderName, HeaderValue) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (header::SET_COOKIE, kept::set(&text, secure(pages, headers), &pages.0.key, &who.name))
    }
}

fn secure(pages: &Pages, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    pages.0.hosts.secure(host).unwrap_or(false)
}

impl FromRequestParts<Pages> for Comfort {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Refusal> {
        let who = Who::from_request_parts(parts, pages).await?;
        let text = kept::read(&parts.headers, secure(pages, &parts.headers), &pages.0.key, &who.name);
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}
