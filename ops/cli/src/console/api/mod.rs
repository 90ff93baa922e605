//! The HTTP API, `/api/v1`.
//!
//! ```text
//!  request ─► guard (the table of routes: who may) ─► posts, feed, appeals, cases, decisions ─► the store
//! ```

mod app;
mod appeals;
mod cases;
mod decisions;
mod feed;
mod guard;
mod input;
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
use axum::{Router, middleware, routing};
use sluice_runtime::health::{self, Metrics};

/// What `GET /` says, before there are pages.
const FRONT: &str = "Sluice console. The API is at /api/v1, and described at /api/v1/openapi.json.\n";

/// The document of the API.
pub(super) fn describe() -> String {
    openapi::document()
}

impl Api {
    /// All routes of the console.
    pub(super) fn routes(self, metrics: Metrics) -> Router {
        let mut routes = Router::new();
        for route in &route::ROUTES {
            routes = routes.route(route.path, (route.handler)());
        }
        let asked = self.clone();
        let ready = move || {
            let api = asked.clone();
            async move { api.ready().await }
        };
        let not_found = async |at: Uri| problem::not_found(at.path());
        let wrong_method = async |method: Method, at: Uri| problem::wrong_method(method.as_str(), at.path());
        routes
            .route_layer(middleware::from_fn_with_state(self.clone(), guard::guard))
            .route("/", routing::get(async || FRONT))
            .merge(health::routes(metrics, ready))
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        let answered = self.store().last_event().await;
        answered.map(drop).map_err(|failure| format!("the database cannot be used now ({})", failure.code))
    }
}

async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.0.document.clone()).into_response()
}
