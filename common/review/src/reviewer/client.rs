//! The one part of the room that waits: it asks, within bounds of time, size and number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use super::breaker::{Breaker, Circuit, Pass};
use super::error::ReviewerError;
use super::settings::Settings;
use super::wire::{self, Opinion, Question};
use sluice_core::config::ConfigError;
use sluice_core::post::Post;
use sluice_core::verdict::Review;
use sluice_https::{Client, causes};

/// The most bytes of an answer. OpenAI's has about 2 KiB.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// The way to the outside reviewer, for all consumers of a process.
pub struct Reviewer {
    settings: Settings,
    endpoint: Uri,
    client: Client,
    slots: Semaphore,
    health: Mutex<Health>,
}

/// How the service has done lately.
struct Health {
    breaker: Breaker,
    /// Since when it is not asked, and the failure that was the last straw.
    open: Option<(OffsetDateTime, ReviewerError)>,
}

impl Reviewer {
    /// Prepares to ask. Nothing is sent.
    ///
    /// # Errors
    /// When the address cannot be asked over HTTP, or is HTTPS and the system has no certificates to trust.
    pub fn new(settings: Settings) -> Result<Arc<Self>, ConfigError> {
        let refused = |problem: String| ConfigError::new("SLUICE_REVIEWER_URL", problem);
        let endpoint = settings.endpoint.as_str().parse().map_err(|error| refused(format!("{error}")))?;
        let client = Client::new(settings.endpoint.scheme() == "https").map_err(|error| refused(error.to_string()))?;
        let health = Mutex::new(Health { breaker: Breaker::new(settings.trip), open: None });
        metrics::gauge!("sluice_reviewer_circuit_open").set(0.0);
        Ok(Arc::new(Self { endpoint, client, slots: Semaphore::new(settings.concurrency.into()), health, settings }))
    }

    /// The review of a post by the rules, and by the reviewer where they leave doubt. It never fails: trouble is a
    /// reason to hold the post.
    pub async fn second(&self, post: &Post, review: Review) -> Review {
        if !self.settings.ask.wants(&review, self.settings.near) {
            return review;
        }
        let answer = self.ask(post).await;
        let result = match &answer {
            Ok(Opinion { charges, .. }) if charges.is_empty() => "cleared".to_owned(),
            Ok(_) => "flagged".to_owned(),
            Err(error) => error.code().trim_start_matches("reviewer_").to_owned(),
        };
        metrics::counter!("sluice_reviewer_requests_total", "result" => result).increment(1);
        self.settings.policy.merged(review, &answer)
    }

    /// How the circuit stands; unless it is closed, since when it is open and what opened it.
    #[must_use]
    pub fn circuit(&self) -> (Circuit, Option<(OffsetDateTime, ReviewerError)>) {
        let health = self.health();
        (health.breaker.circuit(), health.open.clone())
    }

    async fn ask(&self, post: &Post) -> Result<Opinion, ReviewerError> {
        // Before the wait: who may not ask anyway needs no slot.
        if self.health().breaker.refuses(Instant::now()) {
            return Err(ReviewerError::CircuitOpen);
        }
        let wait = self.settings.timeout;
        let Ok(Ok(_slot)) = tokio::time::timeout(wait, self.slots.acquire()).await else {
            return Err(ReviewerError::Busy(wait));
        };
        let turn = self.turn()?;
        let begun = Instant::now();
        let input = format!("{}\n\n{}", post.title, post.content);
        let answer = match tokio::time::timeout(wait, self.exchange(&input)).await {
            Ok(answer) => answer,
            Err(_) => Err(ReviewerError::Timeout(wait)),
        };
        metrics::histogram!("sluice_reviewer_seconds").record(begun.elapsed().as_secs_f64());
        turn.over(&answer);
        answer
    }

    /// One request and its whole answer. A redirect is an answer like any other that is no success.
    async fn exchange(&self, input: &str) -> Result<Opinion, ReviewerError> {
        let question = serde_json::to_string(&Question { input, model: &self.settings.model });
        let question = question.map_err(|error| ReviewerError::Malformed(error.to_string()))?;
        let mut request = Request::post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.settings.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request.body(question).map_err(|error| ReviewerError::Unreachable(error.to_string()))?;
        let response = self.client.send(request).await.map_err(ReviewerError::Unreachable)?;
        if !response.status().is_success() {
            return Err(ReviewerError::Status(response.status().as_u16()));
        }
        let body =
            Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await.map_err(|error| match error
                .downcast_ref::<LengthLimitError>(
            ) {
                Some(_) => ReviewerError::Malformed(format!("it has more than {ANSWER_MAX_BYTES} bytes")),
                None => ReviewerError::Unreachable(causes(&*error)),
            })?;
        wire::read(&body.to_bytes(), &self.settings.model)
    }

    /// The right to ask now.
    fn turn(&self) -> Result<Turn<'_>, ReviewerError> {
        let pass = self.health().breaker.admit(Instant::now()).ok_or(ReviewerError::CircuitOpen)?;
        Ok(Turn { reviewer: self, pass, over: false })
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // Nothing in here can panic halfway.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, for the breaker's ears. Dropped before it is over, it was given up.
struct Turn<'a> {
    reviewer: &'a Reviewer,
    pass: Pass,
    over: bool,
}

impl Turn<'_> {
    /// Tells the breaker what came of it, and everybody when that opens or closes the circuit.
    fn over(mut self, answer: &Result<Opinion, ReviewerError>) {
        self.over = true;
        let mut health = self.reviewer.health();
        match answer {
            Err(error) if error.blames_the_service() == Some(true) => {
                if health.breaker.failed(self.pass, Instant::now()) {
                    health.open = Some((OffsetDateTime::now_utc(), error.clone()));
                    metrics::gauge!("sluice_reviewer_circuit_open").set(1.0);
                    let (code, trip) = (error.code(), self.reviewer.settings.trip);
                    tracing::warn!(code, error = %error, failures = trip.failures, asked_again_in = ?trip.rest,
                        "the outside reviewer is not asked for now; posts that the rules are uncertain about are held");
                }
            }
            Ok(_) | Err(_) => {
                if health.breaker.answered(self.pass) {
                    let since = health.open.take().map(|(since, _)| since);
                    metrics::gauge!("sluice_reviewer_circuit_open").set(0.0);
                    let seconds = since.map(|since| (OffsetDateTime::now_utc() - since).as_seconds_f64());
                    tracing::info!(seconds, "the outside reviewer answers again");
                }
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.reviewer.health().breaker.given_up(self.pass);
        }
    }
}
