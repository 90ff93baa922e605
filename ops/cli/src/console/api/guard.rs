//! The one layer that decides who may do what. A route that is not in the table lets nobody through.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::app::Api;
use super::{problem, route};

/// Lets a request through to its route, with the client it is of.
pub(super) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let Some(route) = route::of(request.method(), &path) else {
        return problem::wrong_method(request.method().as_str(), &path).into_response();
    };
    if let Some(scope) = route.scope {
        match api.admit(request.headers(), scope) {
            Ok(client) => request.extensions_mut().insert(client),
            Err(refused) => return refused.into_response(),
        };
    }
    let mut response = next.run(request).await;
    // What stands for a post is only true now.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
