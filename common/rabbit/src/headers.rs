//! The headers of a message, as set by the broker or by publishers.

use deadpool_lapin::lapin;
use lapin::types::{AMQPValue, FieldTable};
use sluice_core::name::{SENDER_HEADER, SenderName};
use sluice_core::trace_parent::{TRACE_HEADER, TraceParent};

/// The broker's count of how often a message was returned to the queue.
pub(crate) const DELIVERY_COUNT_HEADER: &str = "x-delivery-count";
/// The broker's count of how often a message was delivered, on 4.x; returned messages count too.
pub(crate) const ACQUIRED_COUNT_HEADER: &str = "x-acquired-count";

pub(crate) fn headers(message: &lapin::message::Delivery) -> Option<&FieldTable> {
    message.properties.headers().as_ref()
}

/// Whether the broker sets this header at each delivery, so that it is not part of the message.
pub(crate) fn is_a_count_of_the_brokers(name: &str) -> bool {
    [DELIVERY_COUNT_HEADER, ACQUIRED_COUNT_HEADER].contains(&name)
}

/// The table without the entries whose name `unwanted` picks.
pub(crate) fn without(table: &FieldTable, unwanted: impl Fn(&str) -> bool) -> FieldTable {
    let kept = table.inner().iter().filter(|(name, _)| !unwanted(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect::<std::collections::BTreeMap<_, _>>().into()
}

/// The sender that a message names, if it names one.
pub(crate) fn sender(table: &FieldTable) -> Option<SenderName> {
    table.inner().get(SENDER_HEADER).and_then(text)?.parse().ok()
}

/// The place in a trace that a message names, if it names one that can be read.
pub(crate) fn trace(table: &FieldTable) -> Option<TraceParent> {
    table.inner().get(TRACE_HEADER).and_then(text)?.parse().ok()
}

/// A text, whatever its length on the wire may be.
pub(crate) fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// Any of AMQP's integers that is not negative.
pub(crate) fn number(value: &AMQPValue) -> Option<u64> {
    match value {
        AMQPValue::ShortShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortShortUInt(n) => Some((*n).into()),
        AMQPValue::ShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortUInt(n) => Some((*n).into()),
        AMQPValue::LongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some((*n).into()),
        AMQPValue::LongLongInt(n) => u64::try_from(*n).ok(),
        _ => None,
    }
}
