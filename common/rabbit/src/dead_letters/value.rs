//! AMQP's values as JSON, and back without loss.
//!
//! JSON has fewer types than AMQP, so what has a natural form is written in it (a text is a long string, a whole number
//! a 64-bit one, `null` is void) and all else as an object with one key, the type: `{"timestamp": 1795363200}`. Text
//! that is not UTF-8 is written in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use deadpool_lapin::lapin;
use lapin::types::{AMQPValue, DecimalValue, FieldArray, FieldTable, LongString, ShortString};
use serde_json::{Map, Value, json};

/// Why a dead letter written as JSON cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A value has a form that this version does not write.
    #[error("{at}: {value} is no AMQP value as `sluice dlq export` writes it")]
    Value {
        /// Where.
        at: String,
        /// The value.
        value: String,
    },
    /// Neither or both forms of the body are there, or the base64 is none.
    #[error("it needs a body, either as text (`body`) or in base64 (`body_base64`)")]
    Body,
    /// A name or property is longer than AMQP allows.
    #[error("{0} is longer than the 255 bytes that AMQP allows")]
    TooLong(String),
}

/// AMQP's short strings have a length of one byte.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString, Unreadable> {
    if text.len() > u8::MAX.into() { Err(Unreadable::TooLong(what.to_owned())) } else { Ok(text.into()) }
}

pub(super) fn written_table(table: &FieldTable) -> Map<String, Value> {
    table.inner().iter().map(|(name, value)| (name.to_string(), written(value))).collect()
}

fn written(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Void => Value::Null,
        AMQPValue::Boolean(yes) => json!(yes),
        AMQPValue::LongLongInt(n) => json!(n),
        AMQPValue::LongString(text) => match std::str::from_utf8(text.as_bytes()) {
            Ok(text) => json!(text),
            Err(_) => json!({ "string_base64": BASE64.encode(text.as_bytes()) }),
        },
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(written).collect(),
        AMQPValue::FieldTable(table) => json!({ "table": written_table(table) }),
        AMQPValue::ShortString(text) => json!({ "short_string": text.to_string() }),
        AMQPValue::Timestamp(seconds) => json!({ "timestamp": seconds }),
        AMQPValue::ShortShortInt(n) => json!({ "i8": n }),
        AMQPValue::ShortShortUInt(n) => json!({ "u8": n }),
        AMQPValue::ShortInt(n) => json!({ "i16": n }),
        AMQPValue::ShortUInt(n) => json!({ "u16": n }),
        AMQPValue::LongInt(n) => json!({ "i32": n }),
        AMQPValue::LongUInt(n) => json!({ "u32": n }),
        // By their bits: JSON knows neither NaN nor infinity, and reading digits back may round.
        AMQPValue::Float(float) => json!({ "f32_bits": float.to_bits() }),
        AMQPValue::Double(double) => json!({ "f64_bits": double.to_bits() }),
        AMQPValue::DecimalValue(DecimalValue { scale, value }) => json!({ "decimal": [scale, value] }),
        AMQPValue::ByteArray(bytes) => json!({ "bytes_base64": BASE64.encode(bytes.as_slice()) }),
    }
}

pub(super) fn read_table(at: &str, table: &Map<String, Value>) -> Result<FieldTable, Unreadable> {
    let mut read_back = FieldTable::default();
    for (name, value) in table {
        let at = format!("{at}.{name}");
        read_back.insert(short(&at, name)?, read(&at, value)?);
    }
    Ok(read_back)
}

fn read(at: &str, value: &Value) -> Result<AMQPValue, Unreadable> {
    let unknown = || Unreadable::Value { at: at.to_owned(), value: value.to_string() };
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(yes) => AMQPValue::Boolean(*yes),
        Value::Number(number) => AMQPValue::LongLongInt(number.as_i64().ok_or_else(unknown)?),
        Value::String(text) => AMQPValue::LongString(text.as_str().into()),
        Value::Array(values) => {
            let values = values.iter().map(|value| read(at, value)).collect::<Result<Vec<_>, _>>()?;
            AMQPValue::FieldArray(FieldArray::from(values))
        }
        Value::Object(typed) => {
            let mut entries = typed.iter();
            let (Some((kind, value)), None) = (entries.next(), entries.next()) else { return Err(unknown()) };
            match (kind.as_str(), value) {
                ("table", Value::Object(table)) => AMQPValue::FieldTable(read_table(at, table)?),
                ("short_string", Value::String(text)) => AMQPValue::ShortString(short(at, text)?),
                ("string_base64", Value::String(text)) => {
                    AMQPValue::LongString(LongString::from(BASE64.decode(text).map_err(|_| unknown())?))
                }
                ("bytes_base64", Value::String(text)) => {
                    AMQPValue::ByteArray(BASE64.decode(text).map_err(|_| unknown())?.into())
                }
                _ => read_number(kind, value).ok_or_else(unknown)?,
            }
        }
    })
}

fn read_number(kind: &str, value: &Value) -> Option<AMQPValue> {
    fn unsigned<T: TryFrom<u64>>(value: &Value) -> Option<T> {
        value.as_u64()?.try_into().ok()
    }
    fn signed<T: TryFrom<i64>>(value: &Value) -> Option<T> {
        value.as_i64()?.try_into().ok()
    }
    Some(match kind {
        "timestamp" => AMQPValue::Timestamp(unsigned(value)?),
        "i8" => AMQPValue::ShortShortInt(signed(value)?),
        "u8" => AMQPValue::ShortShortUInt(unsigned(value)?),
        "i16" => AMQPValue::ShortInt(signed(value)?),
        "u16" => AMQPValue::ShortUInt(unsigned(value)?),
        "i32" => AMQPValue::LongInt(signed(value)?),
        "u32" => AMQPValue::LongUInt(unsigned(value)?),
        "f32_bits" => AMQPValue::Float(f32::from_bits(unsigned(value)?)),
        "f64_bits" => AMQPValue::Double(f64::from_bits(unsigned(value)?)),
        "decimal" => {
            let [scale, value] = value.as_array()?.as_slice() else { return None };
            AMQPValue::DecimalValue(DecimalValue { scale: unsigned(scale)?, value: unsigned(value)? })
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = AMQPValue> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
        let leaf = prop_oneof![
            Just(AMQPValue::Void),
            any::<bool>().prop_map(AMQPValue::Boolean),
            any::<i8>().prop_map(AMQPValue::ShortShortInt),
            any::<u8>().prop_map(AMQPValue::ShortShortUInt),
            any::<i16>().prop_map(AMQPValue::ShortInt),
            any::<u16>().prop_map(AMQPValue::ShortUInt),
            any::<i32>().prop_map(AMQPValue::LongInt),
            any::<u32>().prop_map(AMQPValue::LongUInt),
            any::<i64>().prop_map(AMQPValue::LongLongInt),
            any::<u64>().prop_map(AMQPValue::Timestamp),
            // NaN is not equal to itself, so bits that are one are tried below.
            (-1.0e30f32..1.0e30).prop_map(AMQPValue::Float),
            (-1.0e300f64..1.0e300).prop_map(AMQPValue::Double),
            (any::<u8>(), any::<u32>())
                .prop_map(|(scale, value)| AMQPValue::DecimalValue(DecimalValue { scale, value })),
            "\\PC{0,20}".prop_map(|text| AMQPValue::ShortString(text.as_str().into())),
            bytes().prop_map(|bytes| AMQPValue::LongString(LongString::from(bytes))),
            bytes().prop_map(|bytes| AMQPValue::ByteArray(bytes.into())),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4)
                    .prop_map(|values| AMQPValue::FieldArray(FieldArray::from(values))),
                proptest::collection::btree_map("[a-z]{1,8}", inner, 0..4).prop_map(|entries| {
                    let mut table = FieldTable::default();
                    entries.into_iter().for_each(|(name, value)| {
                        table.insert(name.as_str().into(), value);
                    });
                    AMQPValue::FieldTable(table)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_comes_back_as_it_was(value in values()) {
            let text = written(&value).to_string();
            let json: Value = serde_json::from_str(&text).expect("it is JSON");
            prop_assert_eq!(read("x", &json), Ok(value));
        }
    }

    #[test]
    fn a_number_that_is_none_comes_back_bit_by_bit() {
        let json = written(&AMQPValue::Double(f64::NAN));
        assert!(matches!(read("x", &json), Ok(AMQPValue::Double(double)) if double.is_nan()));
    }
}
