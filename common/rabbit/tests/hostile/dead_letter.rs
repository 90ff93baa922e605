//! A message among the dead letters, whoever put it there. Its first byte says what the others are.

use deadpool_lapin::lapin::message::Delivery;
use deadpool_lapin::lapin::types::{AMQPValue, FieldTable, parsing};
use deadpool_lapin::lapin::{BasicProperties, types::FieldArray};
use sluice_core::config::BrokerArgs;
use sluice_core::dead_letter::{DeadLetterRecord, FAILURE_HEADER, Origin, RECORD_MAX_BYTES, SCHEMA, fingerprint};
use sluice_core::disposition::Class;
use sluice_core::failure::{Failure, Kind};
use sluice_rabbit::dead_letters::DeadLetter;
use sluice_rabbit::topology::Topology;
use time::OffsetDateTime;

/// It can be read, the same each time, shown as JSON, and made a replay of.
pub(crate) fn holds(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let dead_letter = || {
        let mut message = Delivery::mock(1, "e".into(), "post".into(), false, rest.to_vec());
        message.properties = BasicProperties::default().with_headers(headers(*kind, rest));
        DeadLetter::of(message)
    };
    let (one, two) = (dead_letter(), dead_letter());
    assert_eq!((&one.summary, &one.origin), (&two.summary, &two.origin), "two looks see two things");
    assert!(one.summary.id.starts_with("anonymous-"), "{}", one.summary.id);
    serde_json::to_string(&one.summary).expect("a summary always has a JSON form");
    let shown = one.headers();
    assert!(shown.is_object() && shown.get("x-delivery-count").is_none(), "{shown}");
    let broker = BrokerArgs {
        amqp_url: "amqp://localhost".into(),
        prefix: "post".parse().expect("a valid prefix"),
        max_length: None,
    };
    let _ = one.replay(&Topology::new(&broker), "r");
    record_fits(rest);
}

/// `0`: the table as it stands on the wire. `1`: a worker's record. `2`: the broker's own account, as on the wire.
fn headers(kind: u8, bytes: &[u8]) -> FieldTable {
    let mut table = FieldTable::default();
    match kind {
        0 => return on_the_wire(bytes),
        1 => table.insert(FAILURE_HEADER.into(), AMQPValue::LongString(bytes.into())),
        _ => {
            let deaths = vec![AMQPValue::FieldTable(on_the_wire(bytes))];
            table.insert("x-death".into(), AMQPValue::FieldArray(FieldArray::from(deaths)))
        }
    };
    table
}

fn on_the_wire(bytes: &[u8]) -> FieldTable {
    let length = u32::try_from(bytes.len()).expect("a short input");
    let wire = [&length.to_be_bytes(), bytes].concat();
    parsing::parse_field_table(&wire[..]).map(|(_, table)| table).unwrap_or_default()
}

/// Whatever a failure and a worker say of themselves, the record fits its header and is read back.
pub(crate) fn record_fits(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let class = Class::ALL[bytes.first().map_or(0, |byte| usize::from(*byte)) % Class::ALL.len()];
    let print = fingerprint(class, &Failure::new(Kind::Permanent, text.as_str(), text.as_str()));
    assert!(print.len() == 12 && print.bytes().all(|byte| byte.is_ascii_hexdigit()), "{print}");
    for long in [1, 20] {
        let text = text.repeat(long);
        let origin = Origin { exchange: text.clone(), routing_key: text.clone(), queue: text.clone() };
        let record = DeadLetterRecord {
            schema: SCHEMA,
            class,
            code: text.clone(),
            message: text.clone(),
            fingerprint: print.clone(),
            attempts: 1,
            first_failed_at: OffsetDateTime::UNIX_EPOCH,
            last_failed_at: OffsetDateTime::UNIX_EPOCH,
            worker: text.clone(),
            version: text,
            origin,
            replays: 0,
        };
        let header = record.to_header();
        assert!(header.len() <= RECORD_MAX_BYTES, "{} bytes", header.len());
        let read = DeadLetterRecord::from_header(header.as_bytes()).expect("what was written can be read");
        assert_eq!((read.class, read.fingerprint, read.attempts), (class, print.clone(), 1));
    }
}
