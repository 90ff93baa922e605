//! How often a message was returned, as far as the broker's own count says so. A pure function.
//!
//! The counts are headers, and any publisher can set a header. The broker overwrites it with its own count when it
//! redelivers a message, not before: on a first delivery, the header comes from the publisher, or from another queue
//! the message was in (a dead letter that was moved back by a shovel, the management page or `rabbitmqctl` still has
//! the count from browsing).

/// How often a message was delivered before and came back. `redelivered` is the broker's flag of this delivery,
/// `delivery_count` and `acquired_count` are the headers `x-delivery-count` and `x-acquired-count`.
///
/// On a first delivery, the result is 0. RabbitMQ 4.3 leaves `x-delivery-count` unchanged for a message that was only
/// returned, so it may still be the publisher's; in this case, `x-acquired-count` is the upper bound: that version
/// always sets it, and it is never lower than the real count.
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
