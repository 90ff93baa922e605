//! The pages, for people: `templates` holds what they show, one file a page, and this folder what they do.
//!
//! ```text
//!  request ─► guard: a known host? no other site's form? logged in? ─► table: which role? ─► a page's own file
//!                                                                                             │
//!             answer ◄─ frame: the page in its frame, or one live part of it with an ETag ◄───┘
//! ```
//!
//! # To add a page
//!
//! 1. `templates/NAME.html` begins with `{% extends "frame.html" %}` and has a block `main`. All texts stand there.
//! 2. A struct with `frame: Frame` beside what the page shows derives [`askama::Template`] and implements
//!    [`frame::Page`]. Handlers take a [`request::Visit`], and give [`frame::Answered`]: `visit.show(&page)`, or a
//!    [`frame::Refusal`], which is shown as a page. `account` is the shortest example.
//! 3. Its routes stand in [`table`], each with the role that it takes. A test asks each of them as everybody.
//! 4. An act is a form with `method="post"`; its handler takes [`request::Fields`], and answers with
//!    [`frame::see_other`]. Without script nothing more is needed.
//! 5. A part that is kept up to date is a block that holds one element with its name as `id`, and `data-live`. The
//!    struct names it in `#[template(blocks = […])]`, and gives it in [`frame::Page::part`].
//! 6. `data-key="x"` on a link, a button or a field makes `x` a key for it; `data-does` says what it does in the list
//!    that `?` shows (else its text does). Links of a list have `data-row`: `j` and `k` go through them.
//!
//! What templates show is escaped, and hidden characters in it are marks ([`frame::text`]): nothing else is needed,
//! and no filter can turn that off.

mod account;
mod app;
mod dead_letters;
mod frame;
mod guard;
mod login;
mod operations;
mod overview;
mod request;
mod review;
mod session;
mod table;
mod watch;
mod work;

pub(super) use app::{Pages, Parts};
pub(super) use session::{Hosts, HostsArg, Once, SessionKey, Tries};
pub(super) use watch::{NowSource, QueuesSource, Searches, SnapshotSource, Watched};
pub(super) use work::{Plans, Work};

use axum::http::Uri;
use axum::response::Response;
use axum::{Router, middleware};

use frame::{Frame, Refusal};

impl Pages {
    /// All pages.
    pub(super) fn routes<S>(self) -> Router<S> {
        let mut routes = Router::new();
        for route in &table::ROUTES {
            routes = routes.route(route.path, (route.handler)());
        }
        routes.route_layer(middleware::from_fn_with_state(self.clone(), guard::guard)).with_state(self)
    }
}

/// What is answered where there is no page.
pub(super) fn not_found(at: &Uri) -> Response {
    let refusal = Refusal::not_found("There is no such page.".to_owned());
    frame::secured(refusal.shown(Frame::new(refusal.title, at.path(), None), false))
}
