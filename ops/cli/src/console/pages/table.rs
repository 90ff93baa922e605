//! The routes of the pages, each with the role that it takes: the guard reads it, and so does the test that asks each
//! of them as everybody.

use axum::http::Method;
use axum::routing::{self, MethodRouter};

use super::app::Pages;
use super::{account, dead_letters, frame, login, operations, overview, review};
use crate::console::access::Role;

/// One route.
pub(super) struct Route {
    method: Method,
    /// Its path.
    pub(super) path: &'static str,
    /// The role that it takes; none: it is for everybody.
    pub(super) role: Option<Role>,
    /// What answers.
    pub(super) handler: fn() -> MethodRouter<Pages>,
}

/// A page.
const fn page(path: &'static str, role: Role, handler: fn() -> MethodRouter<Pages>) -> Route {
    Route { method: Method::GET, path, role: Some(role), handler }
}

/// An act.
const fn act(path: &'static str, role: Role, handler: fn() -> MethodRouter<Pages>) -> Route {
    Route { method: Method::POST, path, role: Some(role), handler }
}

/// What is for everybody.
const fn open(method: Method, path: &'static str, handler: fn() -> MethodRouter<Pages>) -> Route {
    Route { method, path, role: None, handler }
}

/// All of them.
pub(super) static ROUTES: [Route; 42] = [
    open(Method::GET, "/assets/{name}", || routing::get(frame::asset)),
    open(Method::GET, "/login", || routing::get(login::show)),
    open(Method::POST, "/login", || routing::post(login::log_in)),
    page("/", Role::Viewer, || routing::get(overview::show)),
    page("/dead-letters", Role::Viewer, || routing::get(dead_letters::groups)),
    act("/dead-letters/refresh", Role::Viewer, || routing::post(dead_letters::refresh)),
    page("/dead-letters/list", Role::Viewer, || routing::get(dead_letters::list)),
    page("/dead-letters/one", Role::Viewer, || routing::get(dead_letters::one)),
    page("/dead-letters/edit", Role::Operator, || routing::get(dead_letters::edit_form)),
    act("/dead-letters/edit", Role::Operator, || routing::post(dead_letters::edit)),
    page("/operations", Role::Viewer, || routing::get(operations::list)),
    act("/operations", Role::Operator, || routing::post(operations::begin)),
    page("/operations/plan", Role::Operator, || routing::get(operations::plan)),
    act("/operations/restore", Role::Operator, || routing::post(operations::restore)),
    page("/operations/{id}", Role::Viewer, || routing::get(operations::one)),
    act("/operations/{id}/stop", Role::Operator, || routing::post(operations::stop)),
    page("/audit", Role::Viewer, || routing::get(operations::audit)),
    page("/audit/export", Role::Viewer, || routing::get(operations::export)),
    page("/review", Role::Moderator, || routing::get(review::queues)),
    act("/review/next", Role::Moderator, || routing::post(review::next)),
    page("/review/cases", Role::Moderator, || routing::get(review::cases)),
    page("/review/appeals", Role::Moderator, || routing::get(review::appeals)),
    page("/review/decided", Role::Moderator, || routing::get(review::decided)),
    page("/review/measures", Role::Moderator, || routing::get(review::measures)),
    page("/review/comfort", Role::Moderator, || routing::get(review::comfort)),
    act("/review/comfort", Role::Moderator, || routing::post(review::save_comfort)),
    act("/review/pause", Role::Moderator, || routing::post(review::pause)),
    page("/review/acts/{id}", Role::Moderator, || routing::get(review::act)),
    act("/review/acts/{id}/undo", Role::Moderator, || routing::post(review::undo_act)),
    page("/review/cases/{id}/same", Role::Moderator, || routing::get(review::same)),
    act("/review/cases/{id}/same", Role::Moderator, || routing::post(review::decide_same)),
    page("/review/cases/{id}", Role::Moderator, || routing::get(review::case)),
    act("/review/cases/{id}/claim", Role::Moderator, || routing::post(review::claim)),
    act("/review/cases/{id}/decide", Role::Moderator, || routing::post(review::decide)),
    act("/review/cases/{id}/skip", Role::Moderator, || routing::post(review::skip)),
    act("/review/cases/{id}/escalate", Role::Moderator, || routing::post(review::escalate)),
    act("/review/cases/{id}/release", Role::Moderator, || routing::post(review::release)),
    act("/review/cases/{id}/extend", Role::Moderator, || routing::post(review::extend)),
    act("/review/cases/{id}/notes", Role::Moderator, || routing::post(review::note)),
    act("/review/decisions/{id}/undo", Role::Moderator, || routing::post(review::undo)),
    page("/account", Role::Viewer, || routing::get(account::show)),
    act("/logout", Role::Viewer, || routing::post(login::log_out)),
];

/// The route that a request has come to. `HEAD` is `GET` without the body.
pub(super) fn of(method: &Method, path: &str) -> Option<&'static Route> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|route| route.method == *method && route.path == path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use axum::response::Response;
    use sluice_core::config::{BrokerArgs, DatabaseArgs, ServerArgs};
    use sluice_mysql::Store;
    use sluice_mysql::review::Recheck;
    use sluice_runtime::followed::Followed;
    use time::OffsetDateTime;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;
    use tower::ServiceExt as _;

    use super::*;
    use crate::browse::DeadLetters;
    use crate::console::access::{Accounts, Password};
    use crate::console::pages::session::{Hosts, Session, SessionKey, Tries};
    use crate::console::pages::{NowSource, Parts, Plans, QueuesSource, Searches, SnapshotSource, Watched, Work};
    use crate::policies::Policies;
    use crate::status::dead::Look;
    use crate::status::sample::Sampler;

    const HOST: &str = "localhost:8082";

    /// Servers that nobody runs: port 1 of this machine.
    fn servers() -> (BrokerArgs, DatabaseArgs) {
        let prefix = "post".parse().expect("a prefix");
        let broker = BrokerArgs { amqp_url: "amqp://127.0.0.1:1".into(), prefix, max_length: None };
        (broker, DatabaseArgs { database_url: "mysql://root@127.0.0.1:1/none".into() })
    }

    /// Pages with an account of each role.
    fn pages() -> Pages {
        let hash = Password::hash("secret").expect("the kernel has chance");
        let entry = |role: Role| {
            let hash = hash.as_str();
            format!("[[account]]\nname = \"{role}\"\nrole = \"{role}\"\npassword_argon2 = \"{hash}\"\n")
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("accounts.toml");
        std::fs::write(&path, Role::ALL.map(entry).concat()).expect("it can be written");
        let (broker, database) = servers();
        let stop = CancellationToken::new();
        let sampler = Sampler::new(&broker, &database, Look::Elsewhere, false, stop.clone()).expect("good addresses");
        let store = Arc::new(Store::new(&database).expect("a good address"));
        let dead = DeadLetters::briefly(&broker, "console", stop).expect("a good address");
        let searches = Arc::new(Searches::default());
        Pages::new(Parts {
            accounts: Arc::new(Followed::fixed(Accounts::read(&path).expect("it is in order"))),
            key: SessionKey::draw().expect("the kernel has chance"),
            hosts: Hosts::new(Vec::new()),
            once: None,
            tries: Tries::default(),
            policies: Arc::new(Followed::fixed(Policies::default())),
            recheck: Recheck::default(),
            store: Arc::clone(&store),
            dead: dead.clone(),
            servers: ServerArgs { broker, database },
            rules: None,
            plans: Plans::default(),
            work: Work::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            queues: Watched::new(QueuesSource::new(store), CancellationToken::new()),
            now: Watched::new(NowSource::new(sampler), CancellationToken::new()),
            snapshot: Watched::new(SnapshotSource::new(dead, Arc::clone(&searches)), CancellationToken::new()),
            searches,
        })
    }

    async fn ask(pages: &Pages, route: &Route, role: Option<Role>, headers: &[(&str, &str)]) -> Response {
        let path = route.path.replace(['{', '}'], "");
        let mut request = Request::builder().method(route.method.clone()).uri(path).header(header::HOST, HOST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(role) = role {
            let person = pages.0.accounts.now().person(role.as_str()).expect("there is one of each").clone();
            let session = Session::begin(person, OffsetDateTime::now_utc().unix_timestamp());
            request = request.header(header::COOKIE, format!("sluice={}", session.sign(&pages.0.key)));
        }
        let request = request.body(Body::empty()).expect("a good request");
        pages.clone().routes::<()>().oneshot(request).await.expect("it always answers")
    }

    #[tokio::test]
    async fn every_route_takes_its_role_and_nobody_gets_in_without_a_login() {
        let pages = pages();
        let own = [("origin", "http://localhost:8082")];
        for route in &ROUTES {
            let Route { method, path, role, .. } = route;
            let stranger = ask(&pages, route, None, &own).await;
            match role {
                None => assert_ne!(stranger.status(), StatusCode::FORBIDDEN, "{method} {path} is for everybody"),
                Some(_) => {
                    assert_eq!(stranger.status(), StatusCode::SEE_OTHER, "{method} {path} without a login");
                    let to = stranger.headers()[header::LOCATION].to_str().expect("a path");
                    assert!(to.starts_with("/login?to="), "{method} {path}: {to}");
                    let poll = ask(&pages, route, None, &[own[0], ("sluice-part", "x")]).await;
                    assert_eq!(poll.status(), StatusCode::UNAUTHORIZED, "{method} {path} for the script");
                }
            }
            for asking in Role::ALL {
                let status = ask(&pages, route, Some(asking), &own).await.status();
                let refused = role.is_some_and(|needed| !asking.may(needed));
                assert_eq!(status == StatusCode::FORBIDDEN, refused, "{method} {path} as {asking}: {status}");
            }
        }
    }

    #[tokio::test]
    async fn every_act_is_closed_to_other_sites_and_every_answer_protects_itself() {
        let pages = pages();
        for route in &ROUTES {
            let Route { method, path, .. } = route;
            let foreign = ask(&pages, route, Some(Role::Admin), &[("sec-fetch-site", "cross-site")]).await;
            assert_eq!(foreign.status() == StatusCode::FORBIDDEN, *method == Method::POST, "{method} {path}");
            for name in ["content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"] {
                assert!(foreign.headers().contains_key(name), "{method} {path}: {name}");
            }
            assert_eq!(foreign.headers()[header::CACHE_CONTROL], "no-store", "{method} {path}");
        }
    }
}
