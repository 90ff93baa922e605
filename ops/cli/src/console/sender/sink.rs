//! One try at a delivery: over HTTP, or to the exchange; and what came of it.

use std::time::Duration;

use sluice_core::moderation::Event;
use sluice_mysql::review::Delivery;
use sluice_rabbit::broker::{Broker, close};
use sluice_rabbit::publisher::{Envelope, PublishError, Publisher};
use sluice_rabbit::topology::Topology;
use time::OffsetDateTime;

use super::client::{Answer, Message, Poster};
use super::endpoint::Hidden;
use super::signature::{Secret, sign};

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The endpoint has it; the status of its answer, where there is one.
    Taken(Option<u16>),
    /// It has not, or nobody knows.
    Failed {
        /// The status of its answer.
        status: Option<u16>,
        /// Why.
        error: String,
        /// It answered that it will not take it.
        refused: bool,
        /// How long it asks not to be tried again.
        retry_after: Option<Duration>,
    },
    /// It is there no more, it says.
    Gone,
}

/// The way to an endpoint.
pub(super) enum Sink {
    /// A webhook.
    Webhook {
        /// The shared client.
        poster: Poster,
        /// Its address.
        url: Hidden,
        /// Its secrets.
        secrets: Vec<Secret>,
    },
    /// RabbitMQ.
    Exchange {
        /// Publishes with confirms.
        publisher: Publisher,
        /// For declaring the exchange.
        broker: Broker,
        /// The names.
        topology: Topology,
    },
}

impl Sink {
    /// Tries once.
    pub(super) async fn send(&self, delivery: &Delivery) -> Outcome {
        match self {
            Self::Webhook { poster, url, secrets } => {
                let timestamp = OffsetDateTime::now_utc().unix_timestamp();
                let signature = sign(secrets, delivery.decision, timestamp, &delivery.body);
                let (id, body) = (delivery.decision.to_string(), delivery.body.clone());
                let answer = poster.post(url.expose(), Message { id, timestamp, signature, body }).await;
                judge(answer)
            }
            Self::Exchange { publisher, broker, topology } => {
                let kind =
                    serde_json::from_str::<Event>(&delivery.body).map_or("post.decided", |event| event.kind.as_str());
                let envelope =
                    Envelope::decision(topology, &delivery.decision.to_string(), kind, delivery.body.as_bytes());
                match publisher.publish(envelope).await {
                    Ok(()) => Outcome::Taken(None),
                    Err(error) => {
                        let error = match error {
                            PublishError::Unroutable(_) => unbound(broker, topology).await,
                            error => error.to_string(),
                        };
                        Outcome::Failed { status: None, error, refused: false, retry_after: None }
                    }
                }
            }
        }
    }
}

/// The exchange took it and had nowhere to put it, or is not there: it is declared, and somebody has to bind a queue.
async fn unbound(broker: &Broker, topology: &Topology) -> String {
    let declared = async {
        let connection = broker.connect().await.map_err(|error| error.to_string())?;
        let declared = topology.declare_decisions(&connection).await;
        close(&connection).await;
        declared.map_err(|error| error.to_string())
    };
    match declared.await {
        Ok(()) => format!("no queue is bound to the exchange `{}`; bind one", topology.decisions()),
        Err(error) => error,
    }
}

/// What an answer means.
fn judge(answer: Result<Answer, String>) -> Outcome {
    match answer {
        Ok(Answer { status: status @ 200..=299, .. }) => Outcome::Taken(Some(status)),
        Ok(Answer { status: 410, .. }) => Outcome::Gone,
        Ok(Answer { status, retry_after }) => {
            // Too slow, too early, too many: it may well take it later. A redirect is not followed, so it is a refusal.
            let refused = matches!(status, 300..=499) && !matches!(status, 408 | 425 | 429);
            Outcome::Failed { status: Some(status), error: format!("it answered {status}"), refused, retry_after }
        }
        Err(error) => Outcome::Failed { status: None, error, refused: false, retry_after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_2xx_is_a_delivery_and_only_what_is_refused_waits_long() {
        let judged = |status| judge(Ok(Answer { status, retry_after: None }));
        assert_eq!([judged(200), judged(204)], [Outcome::Taken(Some(200)), Outcome::Taken(Some(204))]);
        assert_eq!(judged(410), Outcome::Gone);
        let refused = |outcome| match outcome {
            Outcome::Failed { refused, .. } => refused,
            other => panic!("{other:?}"),
        };
        for slow in [301, 302, 400, 401, 404, 422] {
            assert!(refused(judged(slow)), "{slow}");
        }
        for quick in [408, 425, 429, 500, 502, 503, 599] {
            assert!(!refused(judged(quick)), "{quick}");
        }
        assert!(!refused(judge(Err("connection reset".to_owned()))));
    }
}
