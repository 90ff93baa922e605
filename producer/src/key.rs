//! A sender's own key for a post: the same key always gives the same id.

use sluice_core::name::SenderName;
use sluice_core::post::PostId;
use sluice_runtime::health::FieldProblem;

/// The longest idempotency key, in bytes.
pub const KEY_MAX: usize = 255;
/// The header that carries it.
pub const KEY_HEADER: &str = "Idempotency-Key";

/// A key, and whose it is: two senders' equal keys are two keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    sender: Option<SenderName>,
}

impl Key {
    /// Reads a key: 1 to [`KEY_MAX`] visible ASCII characters.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, FieldProblem> {
        let visible = text.iter().all(u8::is_ascii_graphic);
        match String::from_utf8(text.to_vec()) {
            Ok(text) if visible && (1..=KEY_MAX).contains(&text.len()) => Ok(Self { text, sender: None }),
            _ => Err(Self::problem(format!("must be 1 to {KEY_MAX} visible ASCII characters without spaces"))),
        }
    }

    /// An error about the key.
    #[must_use]
    pub fn problem(problem: impl Into<String>) -> FieldProblem {
        FieldProblem { field: KEY_HEADER, problem: problem.into() }
    }

    /// The same key of this sender, if there is one.
    #[must_use]
    pub fn of(self, sender: Option<&SenderName>) -> Self {
        Self { sender: sender.cloned(), ..self }
    }

    /// The key of one line of a batch that has this key. No key holds a line break, so no other key is the same.
    #[must_use]
    pub fn of_line(&self, number: u64) -> Self {
        Self { text: format!("{}\n{number}", self.text), sender: self.sender.clone() }
    }

    /// The id that it stands for.
    #[must_use]
    pub fn id(&self) -> PostId {
        match &self.sender {
            None => PostId::from_key(&self.text),
            Some(sender) => PostId::from_key_of(sender, &self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_1_to_255_visible_characters() {
        for good in [&b"k"[..], b"\"8e03978e-40d5\"", &[b'~'; KEY_MAX]] {
            assert!(Key::read(good).is_ok());
        }
        for wrong in [&b""[..], b" ", b"a b", b"tab\t", b"\x7f", "é".as_bytes(), b"\xff", &[b'k'; KEY_MAX + 1]] {
            assert!(Key::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_lines_of_a_batch_have_keys_of_their_own() {
        let key = Key::read(b"k").expect("a good key");
        assert_eq!(key.of_line(1), key.of_line(1));
        assert_ne!(key.of_line(1), key.of_line(2));
        assert_ne!(key.of_line(1), key);
    }

    #[test]
    fn each_sender_has_keys_of_its_own() {
        let key = Key::read(b"k").expect("a good key");
        let of = |name: &str| key.clone().of(Some(&name.parse().expect("a name")));
        let ids = [key.id(), of("a").id(), of("b").id(), key.of_line(1).id(), of("a").of_line(1).id()];
        assert!((1..ids.len()).all(|at| !ids[..at].contains(&ids[at])), "{ids:?}");
        assert_eq!(of("a").of_line(1).id(), ids[4]);
        assert_eq!(key.clone().of(None).id(), PostId::from_key("k"), "as without senders");
    }
}
