//! Letters as the first versions kept what they dropped: the body whole, the headers as JSON for people to read. The
//! types of headers that JSON does not know are guessed, and the properties are gone but for the id.

use serde_json::{Map, Value, json};
use sluice_core::dead_letter::NAMELESS;

use super::transcript::{Properties, Transcript, written_body};

impl Transcript {
    /// As much of a letter as such a record tells. `letter` is the id it was known by.
    #[must_use]
    pub fn of_older_record(letter: &str, body: Vec<u8>, headers: &str) -> Self {
        let headers: Map<String, Value> = serde_json::from_str(headers).unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| (name.clone(), typed(&name, value))).collect();
        let message_id = (!letter.starts_with(NAMELESS)).then(|| letter.to_owned());
        let (body, body_base64) = written_body(body);
        let properties = Properties { message_id, ..Properties::default() };
        Self { exchange: String::new(), properties, headers, body, body_base64 }
    }
}

/// A value in the form that `value.rs` reads.
fn typed(name: &str, value: Value) -> Value {
    match value {
        // The broker's account of a death is the one place where a time matters.
        Value::Number(number) if name == "time" && number.is_u64() => json!({ "timestamp": number }),
        Value::Number(number) if number.as_i64().is_some() => Value::Number(number),
        Value::Number(number) => json!({ "f64_bits": number.as_f64().unwrap_or_default().to_bits() }),
        Value::Array(values) => values.into_iter().map(|value| typed("", value)).collect(),
        Value::Object(table) => {
            let table: Map<_, _> = table.into_iter().map(|(name, value)| (name.clone(), typed(&name, value))).collect();
            json!({ "table": table })
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::disposition::Class;

    #[test]
    fn a_letter_of_an_older_record_keeps_its_id_its_body_and_the_reason_of_its_death() {
        let headers =
            r#"{"tenant":7,"half":0.5,"x-death":[{"count":2,"reason":"expired","queue":"q","time":1795363200}]}"#;
        let letter = Transcript::of_older_record("42", b"\xff{}".to_vec(), headers);
        let summary = letter.summary().expect("every value of it can be read");
        assert_eq!((summary.id.as_str(), summary.class, summary.attempts), ("42", Class::Expired, 2));
        assert_eq!(summary.last_failed_at.map(|at| at.unix_timestamp()), Some(1_795_363_200));
        assert_eq!(letter.bytes().as_deref(), Ok(&b"\xff{}"[..]));
        assert_eq!(letter.headers["tenant"], 7);
    }

    #[test]
    fn a_name_that_was_made_up_is_no_message_id() {
        let letter = Transcript::of_older_record("anonymous-0123456789abcdef", b"x".to_vec(), "");
        assert_eq!(letter.properties.message_id, None);
        assert!(letter.headers.is_empty());
    }
}
