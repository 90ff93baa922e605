//! What happens to one delivery, from the broker to its settlement.

mod attempt;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use sluice_core::dead_letter::{DeadLetterRecord, SCHEMA, fingerprint};
use sluice_core::disposition::{Blame, Class, Disposition, Outcome, decide};
use sluice_core::failure::Failure;
use sluice_core::post::{BODY_MAX_BYTES, Malformed};
use sluice_core::retry::RetryPolicy;
use sluice_rabbit::delivery::{Delivery, Settlement};
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use sluice_review::reviewer::Reviewer;
use sluice_runtime::failpoint;
use sluice_traces::{Kind, Span, Tracer};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::authors::Authors;
use crate::copies::Copies;
use crate::gate::Gate;
use crate::in_flight::InFlight;
use crate::large::Large;
use crate::recorder::Recorder;
use crate::rules::Rules;
use crate::settled::Settled;
use attempt::Attempts;

/// The most that a post that came back more than once is delayed, if others are in flight.
const APART: Duration = Duration::from_millis(100);

/// Everything that handling a delivery needs. Shared by all consumers of a process.
pub struct Handler {
    /// This process's name, on rows and dead letters.
    pub worker: String,
    /// The rules of the review.
    pub rules: Arc<Rules>,
    /// The outside reviewer, if there is one.
    pub reviewer: Option<Arc<Reviewer>>,
    /// What is known of authors, unless all are read alike.
    pub authors: Option<Arc<Authors>>,
    /// What is known of near copies, unless that is off.
    pub copies: Option<Arc<Copies>>,
    /// Where rows are written.
    pub recorder: Recorder,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// The posts in flight.
    pub in_flight: Arc<InFlight>,
    /// Counts what was settled.
    pub settled: Arc<Settled>,
    /// Counts what happens to posts, for the log.
    pub activity: Arc<Activity>,
    /// Begins the spans of deliveries.
    pub tracer: Tracer,
    /// Bounds what large posts may take at the same time.
    pub large: Large,
    /// When to retry, and how often.
    pub retry: RetryPolicy,
    /// A delivery that came back so often is dead-lettered unread.
    pub max_deliveries: u64,
    /// The names in RabbitMQ.
    pub topology: Topology,
    /// Where dead letters are published.
    pub dead_letters: Publisher,
}

impl Handler {
    /// Handles a delivery up to its settlement. Once `withdrawn` is cancelled it waits for nothing more: a post that is
    /// not recorded by then goes back to the queue.
    pub async fn handle(&self, delivery: Delivery, withdrawn: &CancellationToken) {
        let _in_flight = self.in_flight.take(delivery.timestamp());
        failpoint::reach(failpoint::DELIVERED);
        let mut span = self.begin(&delivery);
        let settlement = self.conclude(&delivery, &span, withdrawn).await;
        self.settle(delivery, settlement, &mut span, withdrawn).await;
    }

    /// Begins the span of a delivery, in the trace that the message names.
    fn begin(&self, delivery: &Delivery) -> Span {
        let named = if self.tracer.is_on() { delivery.trace() } else { None };
        let mut span = self.tracer.begin("receive", Kind::Consumer, named);
        span.set("messaging.system", || "rabbitmq".to_owned());
        span.set("messaging.message.id", || delivery.message_id().unwrap_or_default().to_owned());
        if delivery.replays() > 0 {
            span.set("sluice.replays", || delivery.replays().to_string());
        }
        span
    }

    /// Attempts until the settlement is known.
    async fn conclude(&self, delivery: &Delivery, span: &Span, withdrawn: &CancellationToken) -> Settlement {
        let mut attempts = Attempts::default();
        let mut schedule = self.retry.schedule();
        let mut outcome = match self.admit(delivery) {
            Some(outcome) => outcome,
            None => {
                if delivery.redeliveries() > 1 && self.in_flight.count() > 1 {
                    // If one post kills workers, those in flight with it come back together. So they do not start at
                    // the same time.
                    unless(withdrawn, tokio::time::sleep(APART.mul_f64(fastrand::f64()))).await;
                }
                self.attempt(delivery, &mut attempts, span, withdrawn).await
            }
        };
        loop {
            if matches!(outcome, Outcome::Failed(..) | Outcome::Redelivered { .. }) {
                attempts.first_failed_at.get_or_insert_with(OffsetDateTime::now_utc);
            }
            let again = match decide(outcome, self.retry.allows_another(attempts.made)) {
                Disposition::Ack => return Settlement::Ack,
                Disposition::Release => return self.given_back(delivery),
                Disposition::DeadLetter(class, failure) => {
                    return Settlement::DeadLetter(Box::new(self.record(delivery, class, failure, &attempts)));
                }
                Disposition::Retry(failure) => {
                    tracing::debug!(post = delivery.message_id(), code = %failure.code, attempts.made, "will retry");
                    metrics::counter!("sluice_attempts_failed_total", "code" => failure.code).increment(1);
                    self.activity.retried();
                    let wait = tokio::time::sleep(schedule.next_wait(fastrand::f64()));
                    unless(withdrawn, wait).await
                }
                Disposition::Hold(failure) => {
                    // The attempt that met the outage does not count.
                    attempts.made = attempts.made.saturating_sub(1);
                    attempts.first_failed_at = None;
                    self.gate.close(failure);
                    unless(withdrawn, self.gate.opened()).await
                }
            };
            outcome = match again {
                Some(()) => self.attempt(delivery, &mut attempts, span, withdrawn).await,
                None => Outcome::Interrupted,
            };
        }
    }

    /// Checks a delivery before it is read: one that came back too often may be what kills workers, and one that is
    /// larger than any post does not wait for MySQL.
    fn admit(&self, delivery: &Delivery) -> Option<Outcome> {
        let (deliveries, bytes) = (delivery.redeliveries(), delivery.body().len());
        if deliveries >= self.max_deliveries {
            return Some(Outcome::Redelivered { deliveries });
        }
        (bytes > BODY_MAX_BYTES).then(|| Outcome::Failed(Malformed::TooLarge(bytes).into(), Blame::Post))
    }

    fn record(&self, delivery: &Delivery, class: Class, failure: Failure, attempts: &Attempts) -> DeadLetterRecord {
        let now = OffsetDateTime::now_utc();
        DeadLetterRecord {
            schema: SCHEMA,
            class,
            fingerprint: fingerprint(class, &failure),
            code: failure.code,
            message: failure.message,
            attempts: attempts.made,
            // If the clock was set back, the first failure would be later than the last.
            first_failed_at: attempts.first_failed_at.map_or(now, |first| first.min(now)),
            last_failed_at: now,
            worker: self.worker.clone(),
            version: sluice_core::VERSION.to_owned(),
            origin: delivery.origin(&self.topology),
            replays: delivery.replays(),
        }
    }
}

/// Waits for `what`, until the withdrawal at the latest.
async fn unless<T>(withdrawn: &CancellationToken, what: impl Future<Output = T>) -> Option<T> {
    if withdrawn.is_cancelled() {
        return None;
    }
    tokio::select! {
        // In this order: if `what` is ready, which is the usual case, no waker is registered for the withdrawal.
        biased;
        done = what => Some(done),
        () = withdrawn.cancelled() => None,
    }
}
