//! What somebody calls a post or a dead letter by. There is one answer to what is meant, for every command:
//!
//! - a dead letter whose message id is the same, byte for byte;
//! - where the name is a UUID, in any spelling that [`PostId`] takes: one whose message id is the same UUID, in
//!   whatever spelling, and one that holds the post of this id, whatever its message id is.

use crate::post::PostId;

/// A name, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    text: String,
    post: Option<PostId>,
}

impl Named {
    /// A name.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), post: text.parse().ok() }
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The post that it names, where it is a UUID.
    #[must_use]
    pub fn post(&self) -> Option<PostId> {
        self.post
    }

    /// Whether a dead letter is meant, by its message id and the id of the post that it holds.
    #[must_use]
    pub fn means(&self, message_id: &str, post: Option<PostId>) -> bool {
        self.text == message_id
            || self.post.is_some_and(|named| post == Some(named) || message_id.parse().ok() == Some(named))
    }

    /// The beginning of a post's id, in the form in which ids are stored: lower case, dashes in their places. None
    /// if the text cannot be one, or is a complete id.
    #[must_use]
    pub fn beginning(&self) -> Option<String> {
        let digits: String = self.text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
        if digits.is_empty() || digits.len() >= 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let mut beginning = String::with_capacity(36);
        for (at, digit) in digits.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                beginning.push('-');
            }
            beginning.push(digit);
        }
        Some(beginning)
    }

    /// Whether a dead letter's id, or the id of the post that it holds, begins so: a message id byte for byte, a UUID in
    /// any spelling.
    #[must_use]
    pub fn begins(&self, message_id: &str, post: Option<PostId>) -> bool {
        let uuid = |beginning: String| {
            let ids = message_id.parse::<PostId>().ok().into_iter().chain(post);
            ids.into_iter().any(|id| id.to_string().starts_with(&beginning))
        };
        message_id.starts_with(&self.text) || self.beginning().is_some_and(uuid)
    }

    /// The message ids that are meant, for an index that compares bytes: the name as it was typed, and the common
    /// spellings of a UUID.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let mut spellings = vec![self.text.clone()];
        let plain = self.post.map(|post| post.to_string()).into_iter();
        for id in plain {
            for id in [id.to_ascii_uppercase(), id] {
                let simple = id.replace('-', "");
                spellings.extend([format!("{{{id}}}"), format!("urn:uuid:{id}"), simple, id]);
            }
        }
        spellings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0193a5b2-7c55-7000-8000-00000000e1b4";

    #[test]
    fn a_message_id_is_compared_byte_for_byte() {
        let named = Named::new("Order-1");
        assert!(named.means("Order-1", None));
        for other in ["order-1", "Order-1 ", "Örder-1", ""] {
            assert!(!named.means(other, None), "{other}");
        }
        assert_eq!(named.spellings(), ["Order-1"]);
    }

    #[test]
    fn a_uuid_is_the_same_in_every_spelling_and_in_message_and_body() {
        let post = ID.parse().ok();
        let upper = ID.to_ascii_uppercase();
        for spelling in [ID, &upper, &format!("{{{ID}}}"), &format!("urn:uuid:{ID}"), &ID.replace('-', "")] {
            let named = Named::new(spelling);
            assert!(named.means(ID, None) && named.means(&upper, None) && named.means("order-1", post), "{spelling}");
            assert!(!named.means("order-1", None));
            assert!(named.spellings().iter().any(|one| one == ID), "{spelling}");
        }
        let wrapped = Named::new(ID);
        assert!(wrapped.spellings().iter().all(|one| Named::new(one).post() == post));
    }

    #[test]
    fn the_beginning_of_a_uuid_is_the_same_in_every_spelling() {
        for (typed, stored) in
            [("0193", "0193"), ("0193A5B2-", "0193a5b2"), ("0193a5b27C55", "0193a5b2-7c55"), (&ID[..35], &ID[..35])]
        {
            assert_eq!(Named::new(typed).beginning().as_deref(), Some(stored));
            assert!(Named::new(typed).begins(&ID.to_ascii_uppercase(), None), "{typed}");
            assert!(Named::new(typed).begins("order-1", ID.parse().ok()), "{typed}");
        }
        for other in ["", "-", "0193x", "order-1", ID, &ID.replace('-', "")] {
            assert_eq!(Named::new(other).beginning(), None, "{other}");
        }
        assert!(Named::new("orde").begins("order-1", None) && !Named::new("Orde").begins("order-1", None));
    }

    #[test]
    fn a_dead_letter_with_two_ids_is_meant_by_both() {
        let other = "0193a5b2-7c55-7000-8000-0000000012ab";
        for name in [ID, other] {
            assert!(Named::new(name).means(&ID.to_ascii_uppercase(), other.parse().ok()), "{name}");
        }
    }
}
