//! Settling a delivery, and counting and logging how.

use sluice_core::dead_letter::DeadLetterRecord;
use sluice_rabbit::delivery::{Delivery, Settlement, Unsettled};
use sluice_traces::{Kind, Span};
use tokio_util::sync::CancellationToken;

use super::{Handler, unless};

impl Handler {
    /// How a post goes back to the queue. RabbitMQ before 4.3 counts a release like the death of a worker, so that a post
    /// released in several outages would be taken for one that kills workers: before it comes to that, it is republished.
    pub(super) fn given_back(&self, delivery: &Delivery) -> Settlement {
        if delivery.redeliveries().saturating_add(1) < self.max_deliveries {
            Settlement::Release
        } else {
            Settlement::Republish
        }
    }

    fn report_settled(&self, post: Option<&str>, settlement: &Settlement) {
        match settlement {
            // Reported once it was stored.
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

    /// Settles. A dead letter that the broker does not take is retried until the withdrawal; then the post goes back to
    /// the queue.
    pub(super) async fn settle(
        &self,
        mut delivery: Delivery,
        mut settlement: Settlement,
        span: &mut Span,
        withdrawn: &CancellationToken,
    ) {
        let mut schedule = self.retry.schedule();
        loop {
            let post = delivery.message_id().map(str::to_owned);
            let name = name(&settlement);
            let copied = matches!(settlement, Settlement::DeadLetter(_) | Settlement::Republish);
            let place = self.large.copy(if copied { delivery.body().len() } else { 0 }).await;
            let publishing = match &settlement {
                Settlement::DeadLetter(record) => {
                    let mut publishing = span.child("dead-letter", Kind::Producer);
                    publishing.fail(&record.code);
                    Some(publishing)
                }
                Settlement::Ack | Settlement::Release | Settlement::Republish => None,
            };
            let settled = delivery.settle(settlement.clone(), &self.topology, &self.dead_letters).await;
            drop((place, publishing));
            match settled {
                Ok(()) => {
                    span.set("sluice.settlement", || name.to_owned());
                    if let Settlement::DeadLetter(record) = &settlement {
                        span.fail(&record.code);
                    }
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

fn name(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Ack => "ack",
        Settlement::DeadLetter(_) => "dead_letter",
        Settlement::Release => "release",
        Settlement::Republish => "republish",
    }
}
