//! A post's id: its message id in RabbitMQ and its primary key in MySQL, so that a second delivery does no harm.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::name::SenderName;

/// A post's id, a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PostId(Uuid);

impl PostId {
    /// The namespace of ids made from idempotency keys (a version 4 UUID, drawn once for Sluice).
    const KEYS: Uuid = Uuid::from_u128(0x6f1c_1f0e_8a0d_4a53_9d5b_2f3a_7c55_e1b4);

    /// The namespace of the senders, each of which is the namespace of its keys (drawn once, as well).
    const SENDERS: Uuid = Uuid::from_u128(0xa7e0_43c5_9f1b_4d62_b8c4_05d9_3e6a_7f18);

    /// Whether it is what programs write where there is no id: the nil UUID (all zeros) or the max UUID (all ones). As
    /// primary key it would let only the first of all such posts into the table.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        self.0.is_nil() || self.0.is_max()
    }

    /// Its sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id that an `Idempotency-Key` stands for: the same key gives the same id, on every machine, for ever.
    #[must_use]
    pub fn from_key(key: &str) -> Self {
        Self(Uuid::new_v5(&Self::KEYS, key.as_bytes()))
    }

    /// The same for a key of this sender: no other sender's key gives this id, nor one without a sender.
    #[must_use]
    pub fn from_key_of(sender: &SenderName, key: &str) -> Self {
        let keys = Uuid::new_v5(&Self::SENDERS, sender.as_str().as_bytes());
        Self(Uuid::new_v5(&keys, key.as_bytes()))
    }
}

impl From<Uuid> for PostId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for PostId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text.trim()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_gives_the_same_id() {
        assert_eq!(PostId::from_key("order-1"), PostId::from_key("order-1"));
        assert_ne!(PostId::from_key("order-1"), PostId::from_key("order-2"));
        let of = |name: &str| PostId::from_key_of(&name.parse().expect("a name"), "order-1");
        assert_eq!(of("forum"), of("forum"));
        assert!(of("forum") != of("blog") && of("forum") != PostId::from_key("order-1"));
    }
}
