//! The kernel's randomness.

use std::fs::File;
use std::io::{self, Read as _};

/// So many bytes of it.
///
/// # Errors
/// When the kernel gives none.
pub fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut random = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random)
}
