//! The filters, as they stand in an address or a form: under the names that the commands give their flags.

use sluice_core::disposition::Class;
use time::OffsetDateTime;
use url::form_urlencoded;

use super::super::frame::Refusal;
use super::super::request::Fields;
use crate::dlq::select::Filters;
use crate::times::moment;

/// Their names.
const NAMES: [&str; 8] = ["id", "class", "code", "fingerprint", "since", "until", "contains", "limit"];

/// Filters, and how they were typed.
pub(crate) struct Query {
    /// What they select.
    pub(crate) filters: Filters,
    typed: Vec<(&'static str, String)>,
}

impl Query {
    /// Reads them.
    ///
    /// # Errors
    /// 422 with what is wrong with one of them.
    pub(crate) fn read(fields: &Fields) -> Result<Self, Refusal> {
        let typed: Vec<(&'static str, String)> =
            NAMES.iter().filter_map(|name| Some((*name, fields.get(name)?.to_owned()))).collect();
        let wrong = |name: &str, problem: &str| Refusal::invalid(format!("{name}: {problem}."));
        let mut filters = Filters::default();
        let now = OffsetDateTime::now_utc();
        for (name, value) in &typed {
            match *name {
                "id" => filters.ids.push(value.clone()),
                "class" => {
                    let class = Class::ALL.into_iter().find(|class| class.as_str() == value);
                    filters.class.push(class.ok_or_else(|| wrong(name, "there is no such class"))?);
                }
                "code" => filters.code.push(value.clone()),
                "fingerprint" => filters.fingerprint.push(value.clone()),
                "since" => filters.since = Some(moment(value, now).map_err(|problem| wrong(name, &problem))?),
                "until" => filters.until = Some(moment(value, now).map_err(|problem| wrong(name, &problem))?),
                "contains" => filters.contains = Some(value.clone()),
                _ => {
                    let limit = value.parse().ok().filter(|limit| *limit > 0);
                    filters.limit = Some(limit.ok_or_else(|| wrong(name, "a number from 1"))?);
                }
            }
        }
        filters.check().map_err(|error| Refusal::invalid(error.to_string()))?;
        Ok(Self { filters, typed })
    }

    /// As they were typed.
    pub(crate) fn typed(&self, name: &str) -> &str {
        self.typed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// For an address: `class=permanent&code=…`, in ASCII.
    pub(crate) fn encoded(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        self.typed.iter().for_each(|(name, value)| _ = text.append_pair(name, value));
        text.finish()
    }

    /// For people: `class permanent, code malformed`.
    pub(crate) fn in_words(&self) -> String {
        let words: Vec<String> = self.typed.iter().map(|(name, value)| format!("{name} {value}")).collect();
        if words.is_empty() { "all dead letters".to_owned() } else { words.join(", ") }
    }
}

/// A value for an address, in ASCII.
pub(crate) fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
