//! The differences between the declared topology and the broker's, read from the broker's errors.

use lapin::types::AMQPValue;

use sluice_core::failure::Failure;

/// The argument that is reported if the entity is missing.
const EXISTENCE: &str = "existence";

/// One difference between the declaration and the broker.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// The exchange or queue.
    pub entity: String,
    /// The argument or property that differs, or `existence`.
    pub argument: String,
    /// What Sluice declares.
    pub wanted: String,
    /// What the broker has.
    pub found: String,
}

impl Drift {
    pub(super) fn missing(entity: &str) -> Self {
        Self {
            entity: entity.to_owned(),
            argument: EXISTENCE.to_owned(),
            wanted: "declared".to_owned(),
            found: "not there".to_owned(),
        }
    }

    /// Whether the entity is not there at all.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.argument == EXISTENCE
    }

    /// Reads the broker's refusal: `PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'post_queue' in
    /// vhost '/': received none but current is the value '5' of type 'long'`.
    pub(super) fn read(entity: &str, failure: &Failure) -> Option<Self> {
        if failure.code != "amqp_406" {
            return None;
        }
        let told = || -> Option<(String, String, String)> {
            let (_, rest) = failure.message.split_once("inequivalent arg '")?;
            let (argument, rest) = rest.split_once('\'')?;
            let (_, rest) = rest.split_once("received ")?;
            let (wanted, found) = rest.split_once(" but current is ")?;
            Some((argument.to_owned(), plain(wanted), plain(found)))
        };
        let (argument, wanted, found) =
            told().unwrap_or_else(|| ("declaration".to_owned(), "ours".to_owned(), failure.message.clone()));
        Some(Self { entity: entity.to_owned(), argument, wanted, found })
    }

    /// Changes the arguments to what was found, so that the next check finds the next difference.
    pub(super) fn take_over(&self, arguments: &mut Vec<(&'static str, AMQPValue)>) -> bool {
        let known = ARGUMENTS.iter().copied().find(|name| *name == self.argument);
        let Some(name) = known else { return false };
        arguments.retain(|(argument, _)| *argument != name);
        if self.found != "none" {
            let (number, yes) = (self.found.parse::<i64>(), self.found.parse::<bool>());
            let value = match (number, yes) {
                (Ok(number), _) => AMQPValue::LongLongInt(number),
                (_, Ok(yes)) => AMQPValue::Boolean(yes),
                _ => AMQPValue::LongString(self.found.as_str().into()),
            };
            arguments.push((name, value));
        }
        true
    }
}

/// The arguments of queues that the broker compares (seen on 3.10: all of these for a quorum queue, but for
/// x-max-priority).
const ARGUMENTS: [&str; 16] = [
    "x-queue-type",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-overflow",
    "x-delivery-limit",
    "x-max-length",
    "x-max-length-bytes",
    "x-message-ttl",
    "x-expires",
    "x-max-priority",
    "x-single-active-consumer",
    "x-queue-leader-locator",
    "x-max-in-memory-length",
    "x-max-in-memory-bytes",
    "x-quorum-initial-group-size",
];

/// `the value '5' of type 'long'` → `5`; `none` and `'true'` as they are, without quotes.
fn plain(told: &str) -> String {
    let told = told.trim();
    match told.split_once("the value '").and_then(|(_, rest)| rest.split_once('\'')) {
        Some((value, _)) => value.to_owned(),
        None => told.trim_matches('\'').to_owned(),
    }
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entity, argument, wanted, found } = self;
        if self.is_missing() {
            return write!(f, "{entity}: is {found}");
        }
        write!(f, "{entity}: {argument} should be {wanted}, but is {found}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::failure::Kind;

    fn refusal(message: &str) -> Failure {
        Failure::new(Kind::Operator, "amqp_406", message)
    }

    #[test]
    fn the_brokers_refusal_is_read_as_a_difference() {
        let message = "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'post_queue' in vhost '/': \
                       received none but current is the value '5' of type 'long'";
        let drift = Drift::read("post_queue", &refusal(message)).expect("a 406 is a drift");
        assert_eq!(drift.to_string(), "post_queue: x-max-length should be none, but is 5");
        let mut arguments = Vec::new();
        assert!(drift.take_over(&mut arguments));
        assert_eq!(arguments, [("x-max-length", AMQPValue::LongLongInt(5))]);
    }

    #[test]
    fn a_refusal_in_words_we_do_not_know_is_shown_as_it_is() {
        let drift = Drift::read("post_queue", &refusal("PRECONDITION_FAILED - because")).expect("a 406 is a drift");
        assert!(drift.to_string().contains("because"));
        assert!(!drift.take_over(&mut Vec::new()));
    }

    #[test]
    fn an_outage_is_no_drift() {
        assert_eq!(Drift::read("q", &Failure::new(Kind::Dependency, "amqp_320", "going down")), None);
    }
}
