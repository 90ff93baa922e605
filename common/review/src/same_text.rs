//! Which posts say the same, for people who decide on many copies at once.

use sha2::{Digest as _, Sha256};

use crate::fold::folded;

/// The first 16 bytes of the hash of title and text as readers take them: case, width, look-alike letters and runs of
/// white space make no difference, digits and words do.
#[must_use]
pub fn fingerprint(title: &str, content: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in [title, content] {
        let text = folded(text);
        let text = text.trim();
        // With its length, so that nothing moves from the title to the text.
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn what_readers_take_for_the_same_is_the_same() {
        let plain = fingerprint("Free money", "click  here");
        assert_eq!(plain, fingerprint("ＦＲＥＥ money ", "Click\nhere"));
        for (title, content) in [("Free money", "click there"), ("Free", "money click here"), ("", "")] {
            assert_ne!(plain, fingerprint(title, content), "{title}");
        }
    }
}
