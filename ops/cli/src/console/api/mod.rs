//! The HTTP API, `/api/v1`.
//!
//! ```text
//!  request ─► guard (the table of routes: who may) ─► posts, feed, appeals, cases, decisions, measures ─► the store
//! ```

mod app;
mod appeals;
mod cases;
mod decisions;
mod feed;
mod guard;
mod input;
mod measures;
mod openapi;
mod person;
mod posts;
mod problem;
mod refusal;
mod route;

pub(super) use app::{Api, Parts};

use axum::extract::State;
use axum::http::{Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};

/// How the paths of the API begin.
pub(super) const BEGINS: &str = "/api/";

/// The document of the API.
pub(super) fn describe() -> String {
    openapi::document()
}

impl Api {
    /// All routes of the API.
    pub(super) fn routes<S>(self) -> Router<S> {
        let mut routes = Router::new();
        for route in &route::ROUTES {
            routes = routes.route(route.path, (route.handler)());
        }
        routes.route_layer(middleware::from_fn_with_state(self.clone(), guard::guard)).with_state(self)
    }

    /// Whether the database can be used now.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn ready(&self) -> Result<(), String> {
        let answered = self.store().last_event().await;
        answered.map(drop).map_err(|failure| format!("the database cannot be used now ({})", failure.code))
    }
}

/// What is answered where there is no route.
pub(super) fn not_found(at: &Uri) -> Response {
    problem::not_found(at.path()).into_response()
}

/// What is answered where there is one, and not by this method.
pub(super) fn wrong_method(method: &Method, at: &Uri) -> Response {
    problem::wrong_method(method.as_str(), at.path()).into_response()
}

async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.0.document.clone()).into_response()
}
