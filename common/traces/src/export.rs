//! How spans reach the collector: a bounded queue that nobody waits for, and one request at a time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::{Request, header};
use http_body_util::{BodyExt as _, Limited};
use sluice_https::Client;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::ended::Ended;
use crate::json;
use crate::settings::Settings;

/// How long the end of a program waits for the last spans.
const LAST: Duration = Duration::from_secs(2);
/// The most of an answer that is read, in bytes; none of it is used.
const ANSWER: usize = 64 * 1024;

/// Spans that wait.
#[derive(Debug)]
pub(crate) struct Queue(mpsc::Sender<Ended>);

impl Queue {
    /// Adds a span, or drops it if there is no room.
    pub(crate) fn add(&self, span: Ended) {
        if self.0.try_send(span).is_err() {
            dropped("queue_full", 1);
        }
    }
}

/// The task that exports; none while nothing is exported.
#[derive(Debug, Default)]
pub struct Exporting(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Exporting {
    pub(crate) fn start(settings: Settings) -> anyhow::Result<(Arc<Queue>, Self)> {
        let client = Client::new(settings.endpoint.scheme() == "https").context("the exporter of spans")?;
        let (waiting, spans) = mpsc::channel(settings.queue);
        let (stop, stopped) = oneshot::channel();
        tracing::info!(collector = settings.endpoint.host_str(), "spans are exported");
        let exporter = Exporter { client, settings, failing: false };
        let task = tokio::spawn(exporter.run(spans, stopped));
        Ok((Arc::new(Queue(waiting)), Self(Some((stop, task)))))
    }

    /// Sends what waits, for at most two seconds.
    pub async fn close(self) {
        if let Some((stop, task)) = self.0 {
            // The task may have ended, which only a panic does.
            let _ = stop.send(());
            let _ = timeout(LAST, task).await;
        }
    }
}

struct Exporter {
    client: Client,
    settings: Settings,
    /// Whether the last request failed: an outage is logged once.
    failing: bool,
}

impl Exporter {
    async fn run(mut self, mut spans: mpsc::Receiver<Ended>, mut stopped: oneshot::Receiver<()>) {
        let mut last = false;
        while !last {
            let mut batch = Vec::new();
            tokio::select! {
                // Without a span, nobody is left who could begin one.
                () = gather(&mut spans, &mut batch, &self.settings) => last = batch.is_empty(),
                _ = &mut stopped => last = true,
            }
            if last {
                spans.close();
                while let Ok(span) = spans.try_recv() {
                    batch.push(span);
                }
            }
            for batch in batch.chunks(self.settings.batch) {
                self.send(batch).await;
            }
        }
    }

    async fn send(&mut self, spans: &[Ended]) {
        let sent = match self.request(spans) {
            Ok(request) => {
                let answered = timeout(self.settings.timeout, self.answered(request)).await;
                answered.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.settings.timeout)))
            }
            Err(error) => Err(error.to_string()),
        };
        match sent {
            Ok(()) => {
                metrics::counter!("sluice_spans_exported_total").increment(spans.len() as u64);
                if std::mem::replace(&mut self.failing, false) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(error) => {
                dropped("not_taken", spans.len() as u64);
                if !std::mem::replace(&mut self.failing, true) {
                    let collector = self.settings.endpoint.host_str();
                    tracing::warn!(
                        collector,
                        error,
                        "the collector takes no spans; they are dropped, posts are not affected"
                    );
                }
            }
        }
    }

    fn request(&self, spans: &[Ended]) -> Result<Request<String>, http::Error> {
        let mut request =
            Request::post(self.settings.endpoint.as_str()).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        request.body(json::request(&self.settings.resource, spans))
    }

    async fn answered(&self, request: Request<String>) -> Result<(), String> {
        let answer = self.client.send(request).await?;
        let status = answer.status();
        // Read to its end, so that the connection is used again.
        let _ = Limited::new(answer.into_body(), ANSWER).collect().await;
        if status.is_success() { Ok(()) } else { Err(format!("status {status}")) }
    }
}

/// Waits for a first span, and then for others until there are enough or the first has waited long enough. What was
/// gathered is kept if the wait is given up.
async fn gather(spans: &mut mpsc::Receiver<Ended>, batch: &mut Vec<Ended>, settings: &Settings) {
    spans.recv_many(batch, settings.batch).await;
    let until = Instant::now() + settings.delay;
    while batch.len() < settings.batch {
        match timeout_at(until, spans.recv_many(batch, settings.batch - batch.len())).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Counts spans that nobody will see.
fn dropped(reason: &'static str, spans: u64) {
    metrics::counter!("sluice_spans_dropped_total", "reason" => reason).increment(spans);
}
