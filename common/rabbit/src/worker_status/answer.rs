//! The worker's side: it answers requests as long as it runs.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::BasicPublishOptions;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Consumer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PURPOSE, WorkerStatus};
use crate::broker::{Broker, bounded, close};
use crate::failure::classify;
use crate::fan_out::listen;
use crate::topology::Topology;
use sluice_core::failure::Failure;
use sluice_core::retry::RetryPolicy;

/// How the connection is rebuilt.
const REBUILD: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// The longest wait for one answer of the broker.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The prefix of direct reply-to queues, which lead only to the caller's own connection. Any other name is a real
/// queue, into which a caller could make us write.
const DIRECT: &str = "amq.rabbitmq.reply-to.";
/// The most requests that are answered per second. No legitimate caller asks more often.
const CALLS_A_SECOND: u32 = 20;
/// How often ignored requests are logged.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// Answers calls with what `status` says at that moment, until `end`. A lost connection is reopened without a log line,
/// because the consuming connection logs the problem.
pub async fn answer(broker: &Broker, topology: &Topology, status: impl Fn() -> WorkerStatus, end: CancellationToken) {
    let broker = broker.apart(PURPOSE);
    let mut schedule = RetryPolicy::forever(REBUILD.0, REBUILD.1).schedule();
    loop {
        let answering = async {
            let connection = broker.connect().await.map_err(|error| error.failure)?;
            let ended = async {
                let (channel, calls) = listen(&connection, &topology.worker_status(), FieldTable::default()).await?;
                schedule.reset();
                answer_all(&channel, calls, &status).await
            }
            .await;
            close(&connection).await;
            ended
        };
        let ended: Result<(), Failure> = tokio::select! {
            () = end.cancelled() => return,
            ended = answering => ended,
        };
        if let Err(failure) = ended {
            tracing::debug!(%failure, "the worker-status connection ended");
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(schedule.next_wait(fastrand::f64())) => {}
        }
    }
}

async fn answer_all(channel: &Channel, mut calls: Consumer, status: impl Fn() -> WorkerStatus) -> Result<(), Failure> {
    let mut allowance = Allowance::default();
    while let Some(call) = calls.next().await {
        let call = call.map_err(|error| classify(&error))?;
        let Some(caller) = call.properties.reply_to() else { continue };
        let ignored = match caller.as_str().starts_with(DIRECT) {
            false => Some("it asked for an answer into a queue"),
            true if !allowance.allows(Instant::now()) => Some("there were too many requests"),
            true => None,
        };
        if let Some(why) = ignored {
            allowance.ignored(why, Instant::now());
            continue;
        }
        // Numbers, names and dates: nothing in it can fail to become JSON.
        let body = serde_json::to_vec(&status().bounded()).unwrap_or_default();
        let properties = BasicProperties::default().with_content_type("application/json".into());
        let publish =
            channel.basic_publish("".into(), caller.clone(), BasicPublishOptions::default(), &body, properties);
        bounded("answering the worker-status request", TIMEOUT, publish).await?;
    }
    Ok(())
}

/// How many requests may still be answered, and when ignored requests were last logged.
#[derive(Debug, Default)]
struct Allowance {
    second: Option<Instant>,
    answered: u32,
    said: Option<Instant>,
}

impl Allowance {
    /// Whether one more may be answered now.
    fn allows(&mut self, now: Instant) -> bool {
        if self.second.is_none_or(|second| now.duration_since(second) >= Duration::from_secs(1)) {
            (self.second, self.answered) = (Some(now), 0);
        }
        self.answered += 1;
        self.answered <= CALLS_A_SECOND
    }

    fn ignored(&mut self, why: &'static str, now: Instant) {
        metrics::counter!("sluice_worker_status_requests_ignored_total").increment(1);
        if self.said.is_none_or(|said| now.duration_since(said) >= SAID_EVERY) {
            self.said = Some(now);
            tracing::warn!(why, "a worker-status request was ignored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_calls_is_answered_so_often_a_second_and_no_more() {
        let (mut allowance, begun) = (Allowance::default(), Instant::now());
        let answered = |allowance: &mut Allowance, after: u64| {
            (0..1000).filter(|_| allowance.allows(begun + Duration::from_secs(after))).count()
        };
        assert_eq!([0, 0, 1].map(|after| answered(&mut allowance, after)), [20, 0, 20]);
    }
}
