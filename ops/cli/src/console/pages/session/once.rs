//! The link that is printed at start where there are no accounts: whoever has it is let in, once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sluice_runtime::random::random;
use subtle::ConstantTimeEq as _;

/// A word that opens once.
pub(crate) struct Once {
    word: String,
    used: AtomicBool,
}

impl Once {
    /// A new one.
    ///
    /// # Errors
    /// When the kernel gives no randomness.
    pub(crate) fn draw() -> io::Result<Self> {
        Ok(Self { word: URL_SAFE_NO_PAD.encode(random::<24>()?), used: AtomicBool::new(false) })
    }

    /// The path of the link.
    pub(crate) fn path(&self) -> String {
        format!("/login?once={}", self.word)
    }

    /// Whether it opens now, and never again.
    pub(crate) fn opens(&self, word: &str) -> bool {
        let is: bool = self.word.as_bytes().ct_eq(word.as_bytes()).into();
        is && !self.used.swap(true, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_once() {
        let once = Once::draw().expect("the kernel has chance");
        assert!(!once.opens("") && !once.opens("x"));
        let word = once.word.clone();
        assert!(once.path().ends_with(&word) && once.opens(&word) && !once.opens(&word));
    }
}
