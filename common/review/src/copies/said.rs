//! One post in the eyes of this stage, and how processes tell each other of some.

use super::hash::mixed;
use super::sketch::{ROWS, Sketch};

/// The format of a batch, its first byte. Who knows only another one ignores it.
const FORMAT: u8 = 1;
/// Bytes of one post in a batch: id, author, sketch.
const BYTES: usize = 16 + 8 + ROWS;
/// The most posts of one batch, which has 45,057 bytes then.
pub const BATCH_MAX: usize = 512;

/// Who said what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The post's id: whoever meets it twice counts it once.
    pub(super) post: [u8; 16],
    /// A hash of the author's name; 0 where none was given.
    pub(super) author: u64,
    pub(super) sketch: Sketch,
}

impl Said {
    /// A post with this content; `None` where it [says too little](Sketch::of).
    #[must_use]
    pub fn by(post: &[u8; 16], author: Option<&str>, content: &str) -> Option<Self> {
        let author = author.map_or(0, |name| name.bytes().fold(1, |hash, byte| mixed(hash ^ u64::from(byte))).max(1));
        Sketch::of(content).map(|sketch| Self { post: *post, author, sketch })
    }
}

/// Some posts as bytes, in the order in which they are given; of more than [`BATCH_MAX`] the first ones.
#[must_use]
pub fn encoded(batch: &[Said]) -> Vec<u8> {
    let batch = &batch[..batch.len().min(BATCH_MAX)];
    let mut bytes = Vec::with_capacity(1 + batch.len() * BYTES);
    bytes.push(FORMAT);
    for Said { post, author, sketch } in batch {
        bytes.extend_from_slice(post);
        bytes.extend_from_slice(&author.to_le_bytes());
        bytes.extend_from_slice(&sketch.0);
    }
    bytes
}

/// The posts of a batch; `None` of anything else.
#[must_use]
pub fn decoded(bytes: &[u8]) -> Option<Vec<Said>> {
    let (FORMAT, posts) = bytes.split_first().map(|(format, posts)| (*format, posts))? else { return None };
    let (posts, []) = posts.as_chunks::<BYTES>() else { return None };
    if posts.len() > BATCH_MAX {
        return None;
    }
    let read = |bytes: &[u8; BYTES]| {
        let (post, rest) = bytes.split_first_chunk()?;
        let (author, rest) = rest.split_first_chunk()?;
        let sketch = Sketch(rest.try_into().ok()?);
        Some(Said { post: *post, author: u64::from_le_bytes(*author), sketch })
    };
    posts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said() -> impl Strategy<Value = Said> {
        (any::<[u8; 16]>(), any::<u64>(), any::<[u8; ROWS]>()).prop_map(|(post, author, sketch)| Said {
            post,
            author,
            sketch: Sketch(sketch),
        })
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written(batch in prop::collection::vec(said(), 0..20)) {
            prop_assert_eq!(decoded(&encoded(&batch)), Some(batch));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let read = decoded(&bytes);
            prop_assert!(read.is_none_or(|read| encoded(&read) == bytes));
        }
    }

    #[test]
    fn what_is_no_batch_of_this_format_or_too_long_is_not_read() {
        let one = Said { post: [1; 16], author: 2, sketch: Sketch([3; ROWS]) };
        let batch = encoded(&[one; 3]);
        assert_eq!(decoded(&batch[..batch.len() - 1]), None);
        assert_eq!(decoded(&[&[2], &batch[1..]].concat()), None);
        assert_eq!(decoded(&[]), None);
        let most = encoded(&[one; BATCH_MAX + 1]);
        assert_eq!((most.len(), decoded(&most).map(|read| read.len())), (45_057, Some(BATCH_MAX)));
        assert_eq!(decoded(&[&most[..], &batch[1..]].concat()), None);
    }

    #[test]
    fn a_post_without_an_author_is_nobodys_and_names_are_told_apart() {
        let text = "a long enough text about something that several people might well have said in other words";
        let author = |name| Said::by(&[0; 16], name, text).expect("it says enough").author;
        assert_eq!(author(None), 0);
        let names = ["", "a", "b", "ab", "ba"].map(|name| author(Some(name)));
        assert!((0..5).all(|at| names[at] != 0 && !names[at + 1..].contains(&names[at])), "{names:?}");
    }
}
