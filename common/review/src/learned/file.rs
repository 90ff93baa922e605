//! A scorer as a file.
//!
//! | bytes | |
//! |---|---|
//! | 14 | `sluice-scorer` and a line feed |
//! | 2 | the version of the format, little-endian |
//! | 4 | how many bytes the file has, little-endian |
//! | 4 | how many bytes the next part has, little-endian |
//! | … | what the scorer says of itself, and its numbers, in JSON |
//! | 262,144 | the weight of each bucket |
//! | 32 | the SHA-256 of all bytes before |
//!
//! There is no text in it: a bucket's number does not tell which n-grams it is of.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sluice_runtime::regular;

use super::about::About;
use super::features::BUCKETS;
use super::model::{Model, Weights};

/// What the file begins with.
const MAGIC: &[u8; 14] = b"sluice-scorer\n";
/// The version of the format, and of how n-grams become buckets.
const VERSION: u16 = 1;
/// The bytes of the parts before the JSON.
const FRONT: usize = MAGIC.len() + 2 + 4 + 4;
/// The bytes of the checksum.
const CHECKSUM: usize = 32;
/// The largest file that is read.
const FILE_MAX_BYTES: usize = 2 << 20;

/// Why a file is no scorer that can be used. A refused file changes nothing: the caller keeps what it has.
#[derive(Debug, thiserror::Error)]
pub enum ScorerError {
    /// It cannot be read at all.
    #[error("cannot read the scorer file {file}: {source}")]
    Unreadable {
        /// The file, as it was named.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("{file} is no scorer: expected a file that `sluice rules learn` wrote")]
    NoScorer {
        /// The file, as it was named.
        file: String,
    },
    /// It is one of an older or a newer program.
    #[error("{file} is a scorer of version {found}, and this program reads version {VERSION}: learn it again")]
    Version {
        /// The file, as it was named.
        file: String,
        /// Its version.
        found: u16,
    },
    /// Its end is missing.
    #[error("{file} is cut short: {found} bytes of {of}")]
    CutShort {
        /// The file, as it was named.
        file: String,
        /// How many bytes there are.
        found: usize,
        /// How many there should be, at least.
        of: usize,
    },
    /// It is not what was written.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file, as it was named.
        file: String,
        /// What does not fit.
        what: String,
    },
}

/// The JSON part.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    about: About,
    threshold: f32,
    scale: f32,
    bias: f32,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) about: About,
    pub(super) model: Model,
    pub(super) threshold: f32,
}

/// The bytes of a file, the checksum at their end.
pub(super) fn written(content: &Content) -> Vec<u8> {
    let Content { about, model: Model { weights, scale, bias }, threshold } = content;
    let weights = weights.of_buckets();
    let header = Header { about: about.clone(), threshold: *threshold, scale: *scale, bias: *bias };
    // Numbers and times only: there is nothing in it that JSON cannot hold.
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let length = FRONT + header.len() + weights.len() + CHECKSUM;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    // Both are far below four gigabytes.
    bytes.extend_from_slice(&(length as u32).to_le_bytes());
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend(weights.iter().map(|weight| weight.to_le_bytes()[0]));
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// The first twelve hexadecimal digits of a file's checksum.
pub(super) fn digest(bytes: &[u8]) -> String {
    let checksum = &bytes[bytes.len().saturating_sub(CHECKSUM)..];
    checksum.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a file on disk.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, ScorerError> {
    let unreadable = |source| ScorerError::Unreadable { file: path.display().to_string(), source };
    regular::read(path, FILE_MAX_BYTES as u64).map_err(unreadable)
}

/// What these bytes hold. `file` is what errors call them.
pub(super) fn read(bytes: &[u8], file: &str) -> Result<Content, ScorerError> {
    let file = || file.to_owned();
    let cut_short = |of| ScorerError::CutShort { file: file(), found: bytes.len(), of };
    let damaged = |what: String| ScorerError::Damaged { file: file(), what };
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(ScorerError::NoScorer { file: file() });
    }
    let (front, rest) = bytes.split_at_checked(FRONT).ok_or_else(|| cut_short(FRONT))?;
    let number = |at: usize| u32::from_le_bytes([front[at], front[at + 1], front[at + 2], front[at + 3]]) as usize;
    let version = u16::from_le_bytes([front[MAGIC.len()], front[MAGIC.len() + 1]]);
    if version != VERSION {
        return Err(ScorerError::Version { file: file(), found: version });
    }
    let (length, header) = (number(MAGIC.len() + 2), number(MAGIC.len() + 6));
    if length > FILE_MAX_BYTES || header.saturating_add(FRONT + BUCKETS + CHECKSUM) != length {
        return Err(damaged("its lengths do not fit".to_owned()));
    }
    match bytes.len() {
        found if found < length => return Err(cut_short(length)),
        found if found > length => return Err(damaged(format!("{found} bytes instead of {length}"))),
        _ => {}
    }
    let (all, checksum) = bytes.split_at(length - CHECKSUM);
    if Sha256::digest(all).as_slice() != checksum {
        return Err(damaged("its checksum is another one".to_owned()));
    }
    let (header, weights) = rest[..rest.len() - CHECKSUM].split_at(header);
    let header: Header = serde_json::from_slice(header).map_err(|error| damaged(error.to_string()))?;
    let Header { about, threshold, scale, bias } = header;
    let numbers_are_sound = [threshold, scale, bias].iter().all(|number| number.is_finite()) && about.wanted > 0.0;
    if !numbers_are_sound {
        return Err(damaged("a number of it is none".to_owned()));
    }
    let weights = Weights::OfBuckets(weights.iter().map(|byte| i8::from_le_bytes([*byte])).collect());
    Ok(Content { about, model: Model { weights, scale, bias }, threshold })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rates;
    use time::macros::datetime;

    fn content() -> Content {
        let about = About {
            learned_at: datetime!(2026-11-30 12:00 UTC),
            flagged: 20,
            clean: 30,
            copies: 1,
            groups: 40,
            wanted: 0.01,
            by_folds: Rates::default(),
        };
        let mut weights = vec![0; BUCKETS];
        (weights[0], weights[7], weights[BUCKETS - 1]) = (127, -128, 1);
        Content { about, model: Model { weights: Weights::OfBuckets(weights), scale: 0.1, bias: -1.5 }, threshold: 0.3 }
    }

    #[test]
    fn what_is_written_is_read_and_has_less_than_two_megabytes() {
        let bytes = written(&content());
        assert_eq!(read(&bytes, "f").expect("it is whole"), content());
        assert!(bytes.len() < FILE_MAX_BYTES && digest(&bytes).len() == 12);
    }

    #[test]
    fn a_file_that_ends_at_any_byte_is_refused_and_says_where() {
        let bytes = written(&content());
        for length in 0..bytes.len() {
            match read(&bytes[..length], "f") {
                Err(ScorerError::CutShort { found, .. }) => assert_eq!(found, length),
                other => panic!("{length} bytes: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_is_another_one_or_damaged_is_refused_with_the_reason() {
        let bytes = written(&content());
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            read(&bytes, "f").expect_err("it is refused").to_string()
        };
        assert_eq!(
            refused(&|bytes| bytes[14] = 7),
            "f is a scorer of version 7, and this program reads version 1: learn it again"
        );
        assert!(refused(&|bytes| bytes[3] = b'X').contains("is no scorer"));
        assert!(refused(&|bytes| bytes.push(0)).contains("bytes instead of"));
        assert!(refused(&|bytes| bytes[16] ^= 1).contains("its lengths do not fit"));
        for at in [20, 40, 5000, bytes.len() - 1] {
            let why = refused(&|bytes| bytes[at] ^= 1);
            assert!(why.contains("damaged"), "byte {at}: {why}");
        }
        let unlike = written(&Content { threshold: f32::NAN, ..content() });
        assert!(read(&unlike, "f").is_err());
    }
}
