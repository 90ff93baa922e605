//! A message to publish: its destination and properties, and what must hold for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use deadpool_lapin::lapin::BasicProperties;
use deadpool_lapin::lapin::types::{AMQPValue, FieldTable};

use crate::topology::{MESSAGE_TYPE, ROUTING_KEY, Topology};
use sluice_core::dead_letter::USER_HEADER;
use sluice_core::name::{SENDER_HEADER, SenderName};
use sluice_core::post::Post;
use sluice_core::trace_parent::{TRACE_HEADER, TraceParent};

/// Persistent, as AMQP numbers it.
const PERSISTENT: u8 = 2;

/// A message on its way to an exchange.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// Its properties and headers; persistent.
    pub properties: BasicProperties,
    /// Its body, shared by the attempts to publish it.
    pub body: Arc<Vec<u8>>,
}

impl Envelope {
    /// A new post, for the workers.
    #[must_use]
    pub fn post(topology: &Topology, post: &Post) -> Self {
        let timestamp = u64::try_from(post.submitted_at.unix_timestamp()).unwrap_or_default();
        let properties = BasicProperties::default()
            .with_message_id(post.id.to_string().into())
            .with_content_type("application/json".into())
            .with_type(MESSAGE_TYPE.into())
            .with_timestamp(timestamp);
        Self::new(topology.exchange(), properties, post.to_body())
    }

    /// The same post with the name of its sender.
    #[must_use]
    pub fn sent_by(self, sender: &SenderName) -> Self {
        self.with_header(SENDER_HEADER, sender.as_str())
    }

    /// The same post with its place in a trace.
    #[must_use]
    pub fn traced(self, place: &TraceParent) -> Self {
        self.with_header(TRACE_HEADER, &place.to_string())
    }

    fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
        self.properties = self.properties.with_headers(headers);
        self
    }

    /// An event of people's review, for whoever has bound a queue to the exchange for decisions. `kind` is its routing
    /// key.
    #[must_use]
    pub fn decision(topology: &Topology, id: &str, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let properties = BasicProperties::default()
            .with_message_id(id.into())
            .with_content_type("application/json".into())
            .with_type(kind.into());
        let envelope = Self::new(topology.decisions(), properties, body.into());
        Self { routing_key: kind.to_owned(), ..envelope }
    }

    /// Any message, for the queue bound to `exchange`. Always persistent and without an expiry, so that it waits until
    /// it is consumed. The `user_id` is moved to a header, because the broker verifies that property and refuses a
    /// message with another user's.
    #[must_use]
    pub fn new(exchange: String, properties: BasicProperties, body: impl Into<Arc<Vec<u8>>>) -> Self {
        let mut kept = properties.with_delivery_mode(PERSISTENT);
        if let Some(headers) = kept.headers().clone().filter(names_places) {
            kept = kept.with_headers(without_places(&headers));
        }
        if let Some(user) = kept.user_id().clone() {
            let mut headers = kept.headers().clone().unwrap_or_default();
            headers.insert(USER_HEADER.into(), AMQPValue::LongString(user.as_str().into()));
            kept = kept.with_headers(headers);
        }
        if kept.expiration().is_some() || kept.user_id().is_some() {
            kept = as_ours(kept);
        }
        Self { exchange, routing_key: ROUTING_KEY.to_owned(), properties: kept, body: body.into() }
    }

    /// The key by which returned messages are identified. Messages without an id share one: if one of them is returned,
    /// all such messages of the batch count as failed.
    pub(super) fn message_id(&self) -> &str {
        self.properties.message_id().as_ref().map_or("", |id| id.as_str())
    }
}

/// The headers that make the broker route a message to additional routing keys. They are removed, so that a message
/// goes to one queue only, whatever its publisher set.
const PLACES: [&str; 2] = ["CC", "BCC"];

fn names_places(headers: &FieldTable) -> bool {
    PLACES.iter().any(|name| headers.contains_key(name))
}

fn without_places(headers: &FieldTable) -> FieldTable {
    let kept = headers.inner().iter().filter(|(name, _)| !PLACES.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>().into()
}

/// Without `expiration` and `user_id`. Properties can be set but not unset, so they are built again.
fn as_ours(from: BasicProperties) -> BasicProperties {
    let mut to = BasicProperties::default();
    macro_rules! carry {
        ($($get:ident => $set:ident),*) => {
            $(if let Some(value) = from.$get().clone() { to = to.$set(value); })*
        };
    }
    carry!(
        content_type => with_content_type, content_encoding => with_content_encoding, headers => with_headers,
        delivery_mode => with_delivery_mode, priority => with_priority, correlation_id => with_correlation_id,
        reply_to => with_reply_to, message_id => with_message_id, timestamp => with_timestamp, kind => with_type,
        app_id => with_app_id, cluster_id => with_cluster_id
    );
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_broker_would_refuse_or_throw_away_later_is_not_passed_on() {
        let from = BasicProperties::default()
            .with_message_id("7".into())
            .with_user_id("somebody-else".into())
            .with_expiration("1000".into())
            .with_app_id("theirs".into());
        let kept = Envelope::new("x".to_owned(), from, Vec::<u8>::new()).properties;
        assert_eq!((kept.user_id(), kept.expiration(), kept.delivery_mode()), (&None, &None, &Some(PERSISTENT)));
        assert_eq!(kept.message_id().as_ref().map(|id| id.as_str()), Some("7"));
        assert_eq!(kept.app_id().as_ref().map(|id| id.as_str()), Some("theirs"));
        let header = kept.headers().as_ref().and_then(|headers| headers.inner().get(USER_HEADER).cloned());
        assert_eq!(header, Some(AMQPValue::LongString("somebody-else".into())), "who it was is not forgotten");
    }

    #[test]
    fn a_message_that_is_passed_on_goes_to_no_other_place_that_its_headers_name() {
        let mut headers = FieldTable::default();
        for name in ["CC", "BCC", "tenant"] {
            headers.insert(name.into(), AMQPValue::LongString("elsewhere".into()));
        }
        let from = BasicProperties::default().with_headers(headers);
        let kept = Envelope::new("x".to_owned(), from, Vec::<u8>::new()).properties.headers().clone();
        let names: Vec<String> = kept.unwrap_or_default().inner().keys().map(ToString::to_string).collect();
        assert_eq!(names, ["tenant"]);
    }
}
