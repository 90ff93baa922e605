//! AMQP's properties of a message, in a form for JSON.

use deadpool_lapin::lapin;
use lapin::BasicProperties;
use lapin::types::ShortString;
use serde::{Deserialize, Serialize};

use super::value::{Unreadable, short};

/// AMQP's properties of a message. What is not set is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are AMQP's own")]
pub struct Properties {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_mode: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
}

impl Properties {
    pub(super) fn of(from: &BasicProperties) -> Self {
        let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
        Self {
            content_type: text(from.content_type()),
            content_encoding: text(from.content_encoding()),
            delivery_mode: *from.delivery_mode(),
            priority: *from.priority(),
            correlation_id: text(from.correlation_id()),
            reply_to: text(from.reply_to()),
            expiration: text(from.expiration()),
            message_id: text(from.message_id()),
            timestamp: *from.timestamp(),
            r#type: text(from.kind()),
            user_id: text(from.user_id()),
            app_id: text(from.app_id()),
            cluster_id: text(from.cluster_id()),
        }
    }

    pub(super) fn read(&self) -> Result<BasicProperties, Unreadable> {
        let mut to = BasicProperties::default();
        macro_rules! texts {
            ($($name:ident => $set:ident),*) => {
                $(if let Some(text) = &self.$name { to = to.$set(short(stringify!($name), text)?); })*
            };
        }
        texts!(
            content_type => with_content_type, content_encoding => with_content_encoding,
            correlation_id => with_correlation_id, reply_to => with_reply_to, expiration => with_expiration,
            message_id => with_message_id, r#type => with_type, user_id => with_user_id, app_id => with_app_id,
            cluster_id => with_cluster_id
        );
        if let Some(mode) = self.delivery_mode {
            to = to.with_delivery_mode(mode);
        }
        if let Some(priority) = self.priority {
            to = to.with_priority(priority);
        }
        if let Some(timestamp) = self.timestamp {
            to = to.with_timestamp(timestamp);
        }
        Ok(to)
    }
}
