//! How values on the command line are read.

use bytesize::ByteSize;

use crate::key::Key;

/// Reads a size: `1048576`, `512KiB`, `64MiB`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let size = text.parse::<ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
    size.filter(|size| *size > 0).ok_or_else(|| "a number of bytes, like 1048576, 512KiB or 64MiB".to_owned())
}

/// Reads a number of connections.
pub(super) fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "a number of connections, from 1 to 1000000".to_owned())
}

/// Reads a key.
pub(super) fn key(text: &str) -> Result<Key, String> {
    Key::read(text.as_bytes()).map_err(|fault| fault.problem)
}

/// Reads a rate in posts a second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number of posts per second, from 0.001 to 1000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("17"), Ok(17));
        assert_eq!(bytes("512KiB"), Ok(512 * 1024));
        assert_eq!(bytes("64MiB"), Ok(64 * 1024 * 1024));
        for wrong in ["", "0", "MiB", "-1", "much", "99999999999999999999"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_number_that_a_clock_can_keep() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["", "0", "-1", "NaN", "inf", "fast", "1e12"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
