//! The HTTP API: its start, its routes, and the handling of a single post.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use sluice_core::post::PostId;
use sluice_rabbit::broker::Broker;
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use sluice_runtime::exit::Exit;
use sluice_runtime::health::{self, FieldProblem, Metrics, Problem};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::http::app::{App, Parts};
use crate::http::batch;
use crate::http::body;
use crate::http::body::Incoming;
use crate::http::intake::Intake;
use crate::http::memory::Memory;
use crate::http::meters::Meters;
use crate::http::problem;
use crate::http::watch::Watch;
use crate::refusal::Refusal;
use crate::submit::{self, KEY_HEADER, Key};
use crate::topology_status::{self, DeclareError, TopologyStatus};

/// How long a request waits for the broker's confirm before it gets a 503.
const CONFIRM_WITHIN: Duration = Duration::from_secs(2);
/// How long the start waits for the first try at declaring the queues, so that a program with a working broker never
/// answers 503, and one with a misconfigured broker exits instead of serving.
const FIRST_TRY: Duration = Duration::from_secs(2);
/// How long requests in progress may take to finish after the stop signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop`.
///
/// # Errors
/// When a setting is wrong, the port is in use, the broker refuses the credentials, or its queues are declared
/// differently. An unreachable broker is not an error: posts get 503 until it is reachable.
pub async fn run(args: &Serve, stop: CancellationToken) -> anyhow::Result<Exit> {
    let broker = Broker::new(&args.broker, "sluice-producer serve")?;
    let topology = Topology::new(&args.broker);
    args.check()?;
    let metrics = Metrics::install("sluice-producer")?;
    let most = health::room_for(args.max_connections, "SLUICE_MAX_CONNECTIONS");
    let listener = health::bind(args.listen, "--listen or SLUICE_LISTEN").await?;
    let listen = listener.local_addr().context("cannot read the listening port")?;

    let (changing, topology_status) = watch::channel(first_try(&broker, &topology).await?);
    let publisher = Publisher::new(&broker.lean(), CONFIRM_WITHIN)?;
    let (watch, reports) = Watch::new(broker.clone(), topology.clone(), publisher.clone(), changing);
    tokio::spawn(watch.keep());

    tracing::info!(%listen, rabbitmq = broker.at(), exchange = topology.exchange(), "serving");
    let app = App(Arc::new(Parts {
        publisher,
        topology,
        topology_status,
        reports,
        meters: Meters::new(),
        memory: Memory::new(args.memory),
        max_body: args.max_body,
        max_batch: args.max_batch,
    }));
    health::serve(listener, app.routes(metrics), most, stop, GRACE).await;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// The state of the declaration at the start.
async fn first_try(broker: &Broker, topology: &Topology) -> Result<TopologyStatus, DeclareError> {
    let Ok(declared) = tokio::time::timeout(FIRST_TRY, topology_status::declare(broker, topology)).await else {
        tracing::warn!(rabbitmq = broker.at(), "no answer within {FIRST_TRY:?}; no posts are accepted yet; retrying");
        return Ok(TopologyStatus::Trying);
    };
    match declared {
        Ok(()) => Ok(TopologyStatus::Declared),
        Err(error) if error.needs_operator() => Err(error),
        Err(error) => {
            error.log();
            Ok(TopologyStatus::Refused(error))
        }
    }
}

/// The response to an accepted post.
#[derive(serde::Serialize)]
struct Accepted {
    id: PostId,
    status: &'static str,
    message: &'static str,
}

impl App {
    fn routes(self, metrics: Metrics) -> Router {
        let asked = self.clone();
        let ready = move || {
            let app = asked.clone();
            async move { app.ready().await }
        };
        let not_found = async |at: Uri| problem::not_found(at.path());
        let wrong_method = async |method: Method, at: Uri| problem::wrong_method(method.as_str(), at.path());
        Router::new()
            .route("/posts", routing::post(post))
            .route("/posts/batch", routing::post(posts))
            .merge(health::routes(metrics, ready))
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        self.declared()?;
        self.0.publisher.ready(&self.0.topology).await.map_err(|error| error.to_string())
    }

    async fn accept(&self, headers: &HeaderMap, body: Body) -> Result<Accepted, Problem> {
        content_type(headers, "application/json", is_json)?;
        // The memory reserved for the body is used for the message afterwards, which is no longer than the body.
        let (body, _room) = body::read(headers, body, self.0.max_body, &self.0.memory).await?;
        let (id, envelope) = {
            let post = submit::read(&body, key(headers), submit::now()).map_err(problem::refused)?;
            drop(body);
            self.declared().map_err(|reason| problem::not_declared(&reason).about(post.id))?;
            (post.id, self.envelope(&post))
        };
        self.0.publisher.publish(envelope).await.map_err(|error| self.not_taken(&error, id))?;
        Ok(Accepted { id, status: "queued", message: "Post submitted successfully" })
    }

    fn intake(&self, headers: &HeaderMap, body: Body) -> Result<Intake, Problem> {
        let Parts { memory, max_body, max_batch, .. } = &*self.0;
        let body = Incoming::open(headers, body, *max_batch, "the batch", memory)?;
        Ok(Intake::new(body, *max_body, memory)?)
    }
}

async fn post(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let arrived = Instant::now();
    match app.accept(&headers, body).await {
        Ok(accepted) => {
            app.0.meters.accepted(arrived.elapsed());
            (StatusCode::ACCEPTED, Json(accepted)).into_response()
        }
        Err(problem) => {
            app.0.meters.refused(problem.name);
            problem.into_response()
        }
    }
}

async fn posts(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let opened = content_type(&headers, "application/x-ndjson", is_ndjson)
        .and_then(|()| key(&headers).map_err(|fault| problem::refused(Refusal::Invalid(vec![fault]))))
        .and_then(|key| Ok((key, app.intake(&headers, body)?)));
    match opened {
        Ok((key, intake)) => batch::answer(app, key, intake),
        Err(problem) => {
            app.0.meters.refused(problem.name);
            problem.into_response()
        }
    }
}

/// The key, if there is one. More than one is an error, because it would be unclear which one counts.
fn key(headers: &HeaderMap) -> Result<Option<Key>, FieldProblem> {
    let mut keys = headers.get_all(KEY_HEADER).into_iter();
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => Key::read(key.as_bytes()).map(Some),
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
