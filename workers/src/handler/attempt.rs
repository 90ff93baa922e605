//! One attempt at recording a post: read, review, ask, compare, record.

use std::time::Duration;

use sluice_core::disposition::{Blame, Outcome};
use sluice_core::failure::Failure;
use sluice_core::name::SenderName;
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::Review;
use sluice_mysql::{Recorded, Row};
use sluice_rabbit::delivery::Delivery;
use sluice_runtime::failpoint;
use sluice_traces::{Kind, Span};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::{Handler, unless};

/// A delivery's attempts so far.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    pub(super) made: u32,
    pub(super) first_failed_at: Option<OffsetDateTime>,
    /// The review of the first attempt. A retry does not review the post again, perhaps by other rules, nor ask the
    /// outside reviewer twice.
    judged: Option<Judged>,
}

/// A review and its time.
#[derive(Debug, Clone)]
struct Judged {
    review: Review,
    at: OffsetDateTime,
}

impl Handler {
    pub(super) async fn attempt(
        &self,
        delivery: &Delivery,
        attempts: &mut Attempts,
        span: &Span,
        withdrawn: &CancellationToken,
    ) -> Outcome {
        // A post that was under way when the gate closed waits here, and spends no attempt.
        if unless(withdrawn, self.gate.opened()).await.is_none() {
            return Outcome::Interrupted;
        }
        attempts.made += 1;
        let post = match read(delivery) {
            Ok(post) => post,
            Err(failure) => return Outcome::Failed(failure, Blame::Post),
        };
        let sender = delivery.sender();
        let Judged { review, at } = match &attempts.judged {
            Some(judged) => judged.clone(),
            None => {
                let mut span = span.child("review", Kind::Internal);
                match unless(withdrawn, self.large.review(&self.rules, &post)).await {
                    None => return Outcome::Interrupted,
                    Some(Err(failure)) => {
                        span.fail(&failure.code);
                        return Outcome::Failed(failure, Blame::Post);
                    }
                    Some(Ok(review)) => match unless(withdrawn, self.ask(&post, sender.as_ref(), review)).await {
                        None => return Outcome::Interrupted,
                        Some(judged) => {
                            span.set("sluice.verdict", || judged.review.verdict.to_string());
                            attempts.judged.insert(judged).clone()
                        }
                    },
                }
            }
        };
        let (id, submitted_at) = (post.id, post.submitted_at);
        let row = Row { post, review, reviewed_at: at, attempts: attempts.made, sender };
        let mut span = span.child("store", Kind::Client);
        match unless(withdrawn, self.recorder.record(row)).await {
            None => Outcome::Interrupted,
            Some(Err((failure, blame))) => {
                span.fail(&failure.code);
                Outcome::Failed(failure, blame)
            }
            Some(Ok(recorded)) => {
                span.set("sluice.outcome", || name(recorded).to_owned());
                drop(span);
                failpoint::reach(failpoint::COMMITTED);
                self.gate.progress();
                self.report_stored(id, recorded, submitted_at, attempts);
                Outcome::Recorded
            }
        }
    }

    fn report_stored(&self, id: PostId, recorded: Recorded, submitted_at: OffsetDateTime, attempts: &Attempts) {
        metrics::counter!("sluice_posts_recorded_total", "result" => name(recorded)).increment(1);
        // If the clock was set back, the age is negative.
        let age = Duration::try_from(OffsetDateTime::now_utc() - submitted_at).unwrap_or_default();
        metrics::histogram!("sluice_post_age_seconds").record(age);
        if let Some(Judged { review, .. }) = &attempts.judged {
            self.activity.stored(id, recorded, review, age);
        }
    }

    /// Looks at the author, asks the outside reviewer, where there is one and the rules are uncertain, and counts near
    /// copies. The result always is a verdict.
    async fn ask(&self, post: &Post, sender: Option<&SenderName>, review: Review) -> Judged {
        let review = match &self.authors {
            Some(authors) => authors.reviewed(post, sender, review).await,
            None => review,
        };
        let review = match &self.reviewer {
            Some(reviewer) => reviewer.second(post, review).await,
            None => review,
        };
        // Last: nothing releases a post that is held for this.
        let review = match &self.copies {
            Some(copies) => copies.reviewed(post, review),
            None => review,
        };
        metrics::counter!("sluice_posts_reviewed_total", "verdict" => review.verdict.as_str()).increment(1);
        Judged { review, at: OffsetDateTime::now_utc() }
    }
}

fn name(recorded: Recorded) -> &'static str {
    match recorded {
        Recorded::Inserted => "inserted",
        Recorded::AlreadyRecorded => "already_recorded",
    }
}

fn read(delivery: &Delivery) -> Result<Post, Failure> {
    let arrived = delivery.timestamp().unwrap_or_else(OffsetDateTime::now_utc);
    Ok(Post::from_message(delivery.body(), delivery.message_id(), arrived)?)
}
