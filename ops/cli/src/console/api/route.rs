//! The routes of the API: what each is for, who may use it, and what it may answer. The one table of them: the layer in
//! front reads the scopes here, and the document of the API is made of it.

use axum::http::Method;
use axum::routing::{self, MethodRouter};

use super::app::Api;
use super::{appeals, cases, decisions, document, feed, measures, posts};
use crate::console::access::Scope;

/// One route.
pub(super) struct Route {
    /// Its method.
    pub(super) method: Method,
    /// Its path.
    pub(super) path: &'static str,
    /// What a client needs; none: it is for everybody.
    pub(super) scope: Option<Scope>,
    /// What it does.
    pub(super) summary: &'static str,
    /// What its query may have.
    pub(super) query: &'static [&'static str],
    /// The schema of its body.
    pub(super) body: Option<&'static str>,
    /// The statuses of its good answers, with their schemas.
    pub(super) answers: &'static [(u16, &'static str)],
    /// The statuses of its problems, beside those of all routes.
    pub(super) problems: &'static [u16],
    /// What answers.
    pub(super) handler: fn() -> MethodRouter<Api>,
}

const NONE: &[&str] = &[];

/// All of them.
pub(super) static ROUTES: [Route; 20] = [
    Route {
        method: Method::GET,
        path: "/api/v1/openapi.json",
        scope: None,
        summary: "This document",
        query: NONE,
        body: None,
        answers: &[(200, "Document")],
        problems: &[],
        handler: || routing::get(document),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/posts/{id}",
        scope: Some(Scope::Read),
        summary: "What stands for a post, and why",
        query: NONE,
        body: None,
        answers: &[(200, "Post")],
        problems: &[404],
        handler: || routing::get(posts::one),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/standings",
        scope: Some(Scope::Read),
        summary: "What stands for up to 1000 posts",
        query: NONE,
        body: Some("Ids"),
        answers: &[(200, "Standings")],
        problems: &[],
        handler: || routing::post(posts::standings),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/decisions",
        scope: Some(Scope::Read),
        summary: "The feed of events after a place, in order; waits up to 30 s for the next one",
        query: &["after", "limit", "wait"],
        body: None,
        answers: &[(200, "Feed")],
        problems: &[422],
        handler: || routing::get(feed::decisions),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/posts/{id}/appeals",
        scope: Some(Scope::Appeal),
        summary: "Hand in the author's appeal against the rejection that stands",
        query: NONE,
        body: Some("NewAppeal"),
        answers: &[(201, "Appeal")],
        problems: &[404, 409, 410],
        handler: || routing::post(appeals::open),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/appeals/{id}",
        scope: Some(Scope::Appeal),
        summary: "What became of an appeal",
        query: NONE,
        body: None,
        answers: &[(200, "Appeal")],
        problems: &[404],
        handler: || routing::get(appeals::one),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/posts/{id}/withdraw",
        scope: Some(Scope::Write),
        summary: "Say that a post is gone: ends its cases in any state",
        query: NONE,
        body: Some("Nothing"),
        answers: &[(200, "Withdrawal")],
        problems: &[404],
        handler: || routing::post(posts::withdraw),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/review/claims",
        scope: Some(Scope::Moderate),
        summary: "Claim the next case; 200 with no case where none is free",
        query: NONE,
        body: Some("Next"),
        answers: &[(201, "Claimed"), (200, "NoneFree")],
        problems: &[409],
        handler: || routing::post(cases::next),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/review/cases",
        scope: Some(Scope::Moderate),
        summary: "Cases, in the order in which they are handed out",
        query: &["state", "kind", "queue", "author", "same_text_as", "after", "limit"],
        body: None,
        answers: &[(200, "Cases")],
        problems: &[422],
        handler: || routing::get(cases::list),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/review/cases/{id}",
        scope: Some(Scope::Moderate),
        summary: "A case with its post, decisions and notes",
        query: NONE,
        body: None,
        answers: &[(200, "WholeCase")],
        problems: &[404],
        handler: || routing::get(cases::one),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/review/policies",
        scope: Some(Scope::Moderate),
        summary: "The reasons that decisions may name",
        query: NONE,
        body: None,
        answers: &[(200, "Policies")],
        problems: &[],
        handler: || routing::get(decisions::policies),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/review/measures",
        scope: Some(Scope::Moderate),
        summary: "What was decided since a time, how long it took, how far people agree, and how precise rules are",
        query: &["since", "by"],
        body: None,
        answers: &[(200, "Measures")],
        problems: &[422],
        handler: || routing::get(measures::show),
    },
    act("/api/v1/review/cases/{id}/claim", "Claim a certain case", "NewClaim", &[(200, "Claimed")], || {
        routing::post(cases::claim)
    }),
    act(
        "/api/v1/review/cases/{id}/extend",
        "Extend a claim, to at most 60 minutes",
        "Hold",
        &[(200, "Extended")],
        || routing::post(cases::extend),
    ),
    act("/api/v1/review/cases/{id}/release", "Give a case back", "Hold", &[(200, "State")], || {
        routing::post(cases::release)
    }),
    act("/api/v1/review/cases/{id}/skip", "Give a case back for somebody else", "Hold", &[(200, "State")], || {
        routing::post(cases::skip)
    }),
    act("/api/v1/review/cases/{id}/escalate", "Give a case to a lead", "Hold", &[(200, "State")], || {
        routing::post(cases::escalate)
    }),
    act("/api/v1/review/cases/{id}/notes", "Add a note of the team", "NewNote", &[(201, "Noted")], || {
        routing::post(cases::note)
    }),
    act(
        "/api/v1/review/decisions",
        "Decide a case; of a blind second review, give the opinion",
        "NewDecision",
        &[(201, "Decided")],
        || routing::post(decisions::decide),
    ),
    act("/api/v1/review/decisions/{id}/undo", "Undo a decision", "Undo", &[(201, "Undone")], || {
        routing::post(decisions::undo)
    }),
];

/// What a moderator does to a case.
const fn act(
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    answers: &'static [(u16, &'static str)],
    handler: fn() -> MethodRouter<Api>,
) -> Route {
    Route {
        method: Method::POST,
        path,
        scope: Some(Scope::Moderate),
        summary,
        query: NONE,
        body: Some(body),
        answers,
        problems: &[404, 409],
        handler,
    }
}

/// The route that a request has come to. `HEAD` is `GET` without the body.
pub(super) fn of(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|route| route.method == *method && route.path == path)
}
