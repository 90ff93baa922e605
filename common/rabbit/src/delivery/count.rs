//! How often a message came back, as far as the broker vouches for it. Pure.
//!
//! The counts travel as headers, and a header is first of all what a publisher wrote. The broker writes its own count
//! over it when it delivers a message again, not before: at a first delivery the header is the sender's, or stems from
//! another queue the message has been in (a dead letter that was moved back by a shovel, by the management pages or by
//! `rabbitmqctl` still bears the count of its looks).

/// How often a message was delivered before and came back. `redelivered` is the broker's flag of this delivery,
/// `delivery_count` and `acquired_count` are the headers `x-delivery-count` and `x-acquired-count`.
///
/// A first delivery has never come back. RabbitMQ 4.3 leaves `x-delivery-count` as it is for a message that was only
/// given back, so a sender's own may still stand there; then `x-acquired-count`, which that version always writes and
/// which is never lower than the count it keeps, bounds it.
#[must_use]
pub fn redeliveries(redelivered: bool, delivery_count: Option<u64>, acquired_count: Option<u64>) -> u64 {
    if !redelivered {
        return 0;
    }
    delivery_count.unwrap_or_default().min(acquired_count.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_broker_vouches_for_counts() {
        for (what, wanted, counted) in [
            ("a new message", 0, redeliveries(false, None, None)),
            ("a new message with a sender's own count", 0, redeliveries(false, Some(100), None)),
            ("a dead letter that was moved back", 0, redeliveries(false, Some(6), Some(6))),
            ("one that a worker died with, on 3.10", 3, redeliveries(true, Some(3), None)),
            ("one that a worker died with, on 4.3", 3, redeliveries(true, Some(3), Some(7))),
            ("one that was released, on 4.3", 0, redeliveries(true, None, Some(2))),
            ("one with a sender's own count that was released, on 4.3", 2, redeliveries(true, Some(100), Some(2))),
        ] {
            assert_eq!(counted, wanted, "{what}");
        }
    }
}
