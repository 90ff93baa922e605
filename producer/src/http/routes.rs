//! The routes of the HTTP API, and the handling of a single post.

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use sluice_core::name::SenderName;
use sluice_core::post::PostId;
use sluice_runtime::health::{self, FieldProblem, Metrics, Problem};
use sluice_traces::Span;

use crate::http::app::{App, Parts};
use crate::http::batch;
use crate::http::body::{self, Incoming};
use crate::http::intake::Intake;
use crate::http::problem;
use crate::http::request;
use crate::key::{KEY_HEADER, Key};
use crate::refusal::Refusal;
use crate::senders::Admitted;
use crate::submit;

/// The response to an accepted post.
#[derive(serde::Serialize)]
struct Accepted {
    id: PostId,
    status: &'static str,
    message: &'static str,
}

impl App {
    /// The routes for supervisors and for Prometheus.
    pub(super) fn health<State: Clone + Send + Sync + 'static>(&self, metrics: Metrics) -> Router<State> {
        let asked = self.clone();
        let ready = move || {
            let app = asked.clone();
            async move { app.ready().await }
        };
        health::routes(metrics, ready)
    }

    /// The routes for senders, and these.
    pub(super) fn routes(self, health: Router<Self>) -> Router {
        let not_found = async |at: Uri| problem::not_found(at.path());
        let wrong_method = async |method: Method, at: Uri| problem::wrong_method(method.as_str(), at.path());
        Router::new()
            .route("/posts", routing::post(post))
            .route("/posts/batch", routing::post(posts))
            .merge(health)
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        self.declared()?;
        self.0.publisher.ready().await.map_err(|error| error.to_string())
    }

    /// Accepts a single post of whoever was admitted.
    async fn accept(
        &self,
        headers: &HeaderMap,
        body: Body,
        admitted: Option<&Admitted>,
        span: &Span,
    ) -> Result<Accepted, Problem> {
        content_type(headers, "application/json", is_json)?;
        let sender = admitted.map(Admitted::name);
        // The memory reserved for the body is used for the message afterwards, which is no longer than the body.
        let memory = admitted.map_or(&self.0.memory, Admitted::memory);
        let (body, _room) = body::read(headers, body, self.0.max_body, memory).await?;
        let (id, (envelope, mut publishing)) = {
            let post = submit::read(&body, key(headers, sender), submit::now()).map_err(problem::refused)?;
            drop(body);
            self.declared().map_err(|reason| problem::not_declared(&reason).about(post.id))?;
            (post.id, self.envelope(&post, sender, span))
        };
        if let Err(error) = self.0.publisher.publish(envelope).await {
            let problem = self.not_taken(&error, id);
            publishing.fail(problem.name);
            return Err(problem);
        }
        self.confirmed(id);
        Ok(Accepted { id, status: "queued", message: "Post submitted successfully" })
    }

    /// Opens a batch of whoever was admitted.
    fn intake(
        &self,
        headers: &HeaderMap,
        body: Body,
        admitted: Option<&Admitted>,
    ) -> Result<(Option<Key>, Intake), Problem> {
        content_type(headers, "application/x-ndjson", is_ndjson)?;
        let key = key(headers, admitted.map(Admitted::name));
        let key = key.map_err(|fault| problem::refused(Refusal::Invalid(vec![fault])))?;
        let Parts { memory, max_body, max_batch, .. } = &*self.0;
        let memory = admitted.map_or(memory, Admitted::memory);
        let body = Incoming::open(headers, body, *max_batch, "the batch", memory)?;
        Ok((key, Intake::new(body, *max_body, memory)?))
    }

    fn refused(&self, problem: Problem, span: &mut Span) -> Response {
        self.0.meters.refused(problem.name);
        let name = problem.name;
        let response = problem.into_response();
        request::refused(span, response.status(), name);
        response
    }
}

async fn post(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let arrived = Instant::now();
    let mut span = request::begin(&app.0.tracer, &headers, "/posts");
    let (admitted, body) = match app.admit(&headers, body) {
        Ok(admitted) => admitted,
        Err(problem) => return app.refused(problem, &mut span),
    };
    match app.accept(&headers, body, admitted.as_ref(), &span).await {
        Ok(accepted) => {
            app.0.meters.accepted(arrived.elapsed());
            if let Some(admitted) = admitted {
                admitted.accepted(1);
            }
            request::answered(&mut span, StatusCode::ACCEPTED);
            (StatusCode::ACCEPTED, Json(accepted)).into_response()
        }
        Err(problem) => app.refused(problem, &mut span),
    }
}

async fn posts(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let mut span = request::begin(&app.0.tracer, &headers, "/posts/batch");
    let opened = app.admit(&headers, body).and_then(|(admitted, body)| {
        let (key, intake) = app.intake(&headers, body, admitted.as_ref())?;
        Ok((admitted, key, intake))
    });
    match opened {
        Ok((admitted, key, intake)) => {
            request::answered(&mut span, StatusCode::OK);
            batch::answer(app, admitted, key, intake, span)
        }
        Err(problem) => app.refused(problem, &mut span),
    }
}

/// The sender's key, if there is one. More than one is an error, because it would be unclear which one counts.
fn key(headers: &HeaderMap, sender: Option<&SenderName>) -> Result<Option<Key>, FieldProblem> {
    let mut keys = headers.get_all(KEY_HEADER).into_iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => Ok(Some(Key::read(key.as_bytes())?.of(sender))),
        (Some(_), Some(_)) => Err(Key::problem("is given twice")),
    }
}

fn content_type(headers: &HeaderMap, wanted: &str, fits: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|found| found.to_str().ok());
    let essence = found.and_then(|found| found.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    if fits(&essence) { Ok(()) } else { Err(problem::wrong_content_type(found, wanted)) }
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// There is no registered type for lines of JSON, so all common names are accepted.
fn is_ndjson(essence: &str) -> bool {
    const SUBTYPES: [&str; 7] = ["x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines"];
    essence.strip_prefix("application/").is_some_and(|subtype| SUBTYPES.contains(&subtype))
}
