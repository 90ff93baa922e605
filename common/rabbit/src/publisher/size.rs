//! The size of a message's properties on the wire. They must fit in one frame; a frame larger than agreed with the
//! broker ends the connection, and everything in progress on it.

use deadpool_lapin::lapin::BasicProperties;
use deadpool_lapin::lapin::types::{AMQPValue, FieldTable};

/// The frame around them: its head and end, the message's class and size, and the flags of the properties.
const AROUND: usize = 8 + 12 + 2;

/// The bytes of the frame that holds these properties.
pub(crate) fn header_frame(properties: &BasicProperties) -> usize {
    let texts = [
        properties.content_type(),
        properties.content_encoding(),
        properties.correlation_id(),
        properties.reply_to(),
        properties.expiration(),
        properties.message_id(),
        properties.kind(),
        properties.user_id(),
        properties.app_id(),
        properties.cluster_id(),
    ];
    let texts: usize = texts.into_iter().flatten().map(|text| 1 + text.as_str().len()).sum();
    let numbers = usize::from(properties.delivery_mode().is_some()) + usize::from(properties.priority().is_some());
    let time = properties.timestamp().map_or(0, |_| 8);
    AROUND + texts + numbers + time + properties.headers().as_ref().map_or(0, table)
}

fn table(table: &FieldTable) -> usize {
    4 + table.inner().iter().map(|(name, field)| 1 + name.as_str().len() + 1 + value(field)).sum::<usize>()
}

fn value(value: &AMQPValue) -> usize {
    match value {
        AMQPValue::Void => 0,
        AMQPValue::Boolean(_) | AMQPValue::ShortShortInt(_) | AMQPValue::ShortShortUInt(_) => 1,
        AMQPValue::ShortInt(_) | AMQPValue::ShortUInt(_) => 2,
        AMQPValue::LongInt(_) | AMQPValue::LongUInt(_) | AMQPValue::Float(_) => 4,
        AMQPValue::DecimalValue(_) => 5,
        AMQPValue::LongLongInt(_) | AMQPValue::Double(_) | AMQPValue::Timestamp(_) => 8,
        AMQPValue::ShortString(text) => 1 + text.as_str().len(),
        AMQPValue::LongString(text) => 4 + text.as_bytes().len(),
        AMQPValue::ByteArray(bytes) => 4 + bytes.as_slice().len(),
        AMQPValue::FieldArray(values) => 4 + values.as_slice().iter().map(|one| 1 + self::value(one)).sum::<usize>(),
        AMQPValue::FieldTable(inner) => table(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_header_frame_is_that_on_the_wire() {
        assert_eq!(header_frame(&BasicProperties::default()), 22);
        let mut headers = FieldTable::default();
        headers.insert("a".into(), AMQPValue::LongString("xyz".into()));
        headers.insert("bc".into(), AMQPValue::Boolean(true));
        // 4 for the table, 1+1+1+4+3 and 1+2+1+1 for its entries; 1+2 for the id, 1 for the mode.
        let properties =
            BasicProperties::default().with_message_id("id".into()).with_delivery_mode(2).with_headers(headers);
        assert_eq!(header_frame(&properties), 22 + 4 + 10 + 5 + 3 + 1);
    }
}
