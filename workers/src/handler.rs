//! What happens to one delivery, from the broker to its settlement.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::dead_letter::{DeadLetterRecord, SCHEMA, fingerprint};
use sluice_core::disposition::{Blame, Class, Disposition, Outcome, decide};
use sluice_core::failure::Failure;
use sluice_core::post::{BODY_MAX_BYTES, Malformed, Post, PostId};
use sluice_core::retry::RetryPolicy;
use sluice_core::verdict::Review;
use sluice_mysql::{Recorded, Row};
use sluice_rabbit::delivery::{Delivery, Settlement, Unsettled};
use sluice_rabbit::publisher::Publisher;
use sluice_rabbit::topology::Topology;
use sluice_review::reviewer::Reviewer;
use sluice_runtime::failpoint;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::gate::Gate;
use crate::in_flight::InFlight;
use crate::large::Large;
use crate::recorder::Recorder;
use crate::rules::Rules;
use crate::settled::Settled;

/// How far apart posts are begun that came back more than once and are in flight together.
const APART: Duration = Duration::from_millis(100);

/// Everything that handling a delivery needs. Shared by all consumers of a process.
pub struct Handler {
    /// This process's name, on rows and dead letters.
    pub worker: String,
    /// The rules of the review.
    pub rules: Arc<Rules>,
    /// Who is asked where they leave doubt, if anybody is.
    pub reviewer: Option<Arc<Reviewer>>,
    /// Where rows are written.
    pub recorder: Recorder,
    /// Closed while posts cannot be stored.
    pub gate: Arc<Gate>,
    /// The posts in flight.
    pub in_flight: Arc<InFlight>,
    /// Counts what was settled.
    pub settled: Arc<Settled>,
    /// Told what becomes of posts, for the log.
    pub activity: Arc<Activity>,
    /// What large ones may take at the same time.
    pub large: Large,
    /// When to try again, and how often.
    pub retry: RetryPolicy,
    /// A delivery that came back so often is dead-lettered untouched.
    pub max_deliveries: u64,
    /// The names in RabbitMQ.
    pub topology: Topology,
    /// Where dead letters are published.
    pub dead_letters: Publisher,
}

/// What is known of a delivery's attempts so far.
#[derive(Debug, Default)]
struct Attempts {
    made: u32,
    first_failed_at: Option<OffsetDateTime>,
    /// What the first one found. A post that is tried again is not reviewed again, by other rules perhaps, and nobody
    /// is asked twice.
    judged: Option<Judged>,
}

/// A review, and when it was done.
#[derive(Debug, Clone)]
struct Judged {
    review: Review,
    at: OffsetDateTime,
}

impl Handler {
    /// Takes a delivery all the way. `withdrawn` says that nothing more may be waited for: what is not done then goes
    /// back to the queue.
    pub async fn handle(&self, delivery: Delivery, withdrawn: &CancellationToken) {
        let _in_flight = self.in_flight.take(delivery.timestamp());
        failpoint::reach(failpoint::DELIVERED);
        let settlement = self.conclude(&delivery, withdrawn).await;
        self.settle(delivery, settlement, withdrawn).await;
    }

    /// Tries until something is to be told to the broker.
    async fn conclude(&self, delivery: &Delivery, withdrawn: &CancellationToken) -> Settlement {
        let mut attempts = Attempts::default();
        let mut schedule = self.retry.schedule();
        let mut outcome = match self.admit(delivery) {
            Some(outcome) => outcome,
            None => {
                if delivery.redeliveries() > 1 && self.in_flight.count() > 1 {
                    // Posts that one of them took down come back together. Whoever goes first gets away from it.
                    unless(withdrawn, tokio::time::sleep(APART.mul_f64(fastrand::f64()))).await;
                }
                self.attempt(delivery, &mut attempts, withdrawn).await
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
                Some(()) => self.attempt(delivery, &mut attempts, withdrawn).await,
                None => Outcome::Interrupted,
            };
        }
    }

    /// Looks at a delivery before it is touched: what has come back too often may be what kills workers, and what is
    /// larger than any post is not waited with until MySQL is there.
    fn admit(&self, delivery: &Delivery) -> Option<Outcome> {
        let (deliveries, bytes) = (delivery.redeliveries(), delivery.body().len());
        if deliveries >= self.max_deliveries {
            return Some(Outcome::Redelivered { deliveries });
        }
        (bytes > BODY_MAX_BYTES).then(|| Outcome::Failed(Malformed::TooLarge(bytes).into(), Blame::Post))
    }

    /// Back to the queue. Before RabbitMQ 4.3 that counts as if the worker had died, and what several workers give back
    /// in one outage would be taken for what kills them: so before it is, it goes back as a new message.
    fn given_back(&self, delivery: &Delivery) -> Settlement {
        if delivery.redeliveries().saturating_add(1) < self.max_deliveries {
            Settlement::Release
        } else {
            Settlement::Republish
        }
    }

    /// One attempt: read, review, ask, record.
    async fn attempt(&self, delivery: &Delivery, attempts: &mut Attempts, withdrawn: &CancellationToken) -> Outcome {
        // What was already on its way when the gate closed waits here, its attempt unspent.
        if unless(withdrawn, self.gate.opened()).await.is_none() {
            return Outcome::Interrupted;
        }
        attempts.made += 1;
        let post = match read(delivery) {
            Ok(post) => post,
            Err(failure) => return Outcome::Failed(failure, Blame::Post),
        };
        let Judged { review, at } = match &attempts.judged {
            Some(judged) => judged.clone(),
            None => match unless(withdrawn, self.large.review(&self.rules, &post)).await {
                None => return Outcome::Interrupted,
                Some(Err(failure)) => return Outcome::Failed(failure, Blame::Post),
                Some(Ok(review)) => match unless(withdrawn, self.ask(&post, review)).await {
                    None => return Outcome::Interrupted,
                    Some(judged) => attempts.judged.insert(judged).clone(),
                },
            },
        };
        let (id, submitted_at) = (post.id, post.submitted_at);
        let row = Row { post, review, reviewed_at: at, attempts: attempts.made };
        match unless(withdrawn, self.recorder.record(row)).await {
            None => Outcome::Interrupted,
            Some(Err((failure, blame))) => Outcome::Failed(failure, blame),
            Some(Ok(recorded)) => {
                failpoint::reach(failpoint::COMMITTED);
                self.gate.progress();
                self.report_stored(id, recorded, submitted_at, attempts);
                Outcome::Recorded
            }
        }
    }

    fn report_stored(&self, id: PostId, recorded: Recorded, submitted_at: OffsetDateTime, attempts: &Attempts) {
        let result = match recorded {
            Recorded::Inserted => "inserted",
            Recorded::AlreadyRecorded => "already_recorded",
        };
        metrics::counter!("sluice_posts_recorded_total", "result" => result).increment(1);
        // A clock that was set back meanwhile gives an age below zero.
        let age = Duration::try_from(OffsetDateTime::now_utc() - submitted_at).unwrap_or_default();
        metrics::histogram!("sluice_post_age_seconds").record(age);
        if let Some(Judged { review, .. }) = &attempts.judged {
            self.activity.stored(id, recorded, review, age);
        }
    }

    /// By the outside reviewer, where there is one and the rules leave doubt. Whatever comes of it is a verdict.
    async fn ask(&self, post: &Post, review: Review) -> Judged {
        let review = match &self.reviewer {
            Some(reviewer) => reviewer.second(post, review).await,
            None => review,
        };
        metrics::counter!("sluice_posts_reviewed_total", "verdict" => review.verdict.as_str()).increment(1);
        Judged { review, at: OffsetDateTime::now_utc() }
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
            // A clock that was set back meanwhile must not make the first failure the later one.
            first_failed_at: attempts.first_failed_at.map_or(now, |first| first.min(now)),
            last_failed_at: now,
            worker: self.worker.clone(),
            version: sluice_core::VERSION.to_owned(),
            origin: delivery.origin(&self.topology),
            replays: delivery.replays(),
        }
    }

    /// A dead letter is worth a line and a count by its cause.
    fn report_settled(&self, post: Option<&str>, settlement: &Settlement) {
        match settlement {
            // Reported as soon as there was a row.
            Settlement::Ack => {}
            Settlement::Release | Settlement::Republish => self.activity.released(),
            Settlement::DeadLetter(record) => {
                let DeadLetterRecord { class, code, message, attempts, .. } = &**record;
                let labels = [("class", class.as_str().to_owned()), ("code", code.clone())];
                metrics::counter!("sluice_posts_dead_lettered_total", &labels).increment(1);
                tracing::warn!(post, %class, code, attempts, error = message, "dead-lettered");
                self.activity.dead_lettered();
            }
        }
    }

    /// Tells the broker. A dead letter that is not taken is offered again for as long as we may wait; then the post
    /// goes back to the queue, as any other does.
    async fn settle(&self, mut delivery: Delivery, mut settlement: Settlement, withdrawn: &CancellationToken) {
        let mut schedule = self.retry.schedule();
        loop {
            let post = delivery.message_id().map(str::to_owned);
            let name = name(&settlement);
            let copied = matches!(settlement, Settlement::DeadLetter(_) | Settlement::Republish);
            let place = self.large.copy(if copied { delivery.body().len() } else { 0 }).await;
            let settled = delivery.settle(settlement.clone(), &self.topology, &self.dead_letters).await;
            drop(place);
            match settled {
                Ok(()) => {
                    self.settled.count(&settlement);
                    self.report_settled(post.as_deref(), &settlement);
                    metrics::counter!("sluice_deliveries_settled_total", "settlement" => name).increment(1);
                    return;
                }
                Err(Unsettled::Gone(why)) => {
                    tracing::debug!(%why, "not settled; the post will be redelivered");
                    metrics::counter!("sluice_deliveries_settled_total", "settlement" => "gone").increment(1);
                    return;
                }
                Err(Unsettled::StillInFlight { delivery: kept, error }) => {
                    tracing::warn!(post = kept.message_id(), %error, "the dead letter could not be published");
                    delivery = *kept;
                    let wait = tokio::time::sleep(schedule.next_wait(fastrand::f64()));
                    if unless(withdrawn, wait).await.is_none() {
                        settlement = self.given_back(&delivery);
                    }
                }
            }
        }
    }
}

/// Bytes → post.
fn read(delivery: &Delivery) -> Result<Post, Failure> {
    let arrived = delivery.timestamp().unwrap_or_else(OffsetDateTime::now_utc);
    Ok(Post::from_message(delivery.body(), delivery.message_id(), arrived)?)
}

/// Waits for `what`, but no longer than until the withdrawal.
async fn unless<T>(withdrawn: &CancellationToken, what: impl Future<Output = T>) -> Option<T> {
    if withdrawn.is_cancelled() {
        return None;
    }
    tokio::select! {
        // What need not be waited for, which is the usual case, is not entered among those who listen.
        biased;
        done = what => Some(done),
        () = withdrawn.cancelled() => None,
    }
}

fn name(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Ack => "ack",
        Settlement::DeadLetter(_) => "dead_letter",
        Settlement::Release => "release",
        Settlement::Republish => "republish",
    }
}
