//! A batch with hostile bytes in its middle: whatever they are, they are some lines, and the two around them are posts.

use sluice_core::json::without_mark;
use sluice_core::post::PostId;
use sluice_producer::lines::{Line, Lines};
use sluice_producer::submit::read;
use time::OffsetDateTime;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder as _;

/// Longer than the two posts, and short enough that some lines are too long.
const LIMIT: usize = 160;

/// Each line that is not blank has one result, in order, and the neighbours are accepted as they are.
pub(crate) fn holds(bytes: &[u8]) {
    let (before, after) = (PostId::from_key("before"), PostId::from_key("after"));
    let post = |id| format!(r#"{{"title":"t","content":"c","id":"{id}"}}"#).into_bytes();
    let text = [&post(before), bytes, &post(after)].map(<[u8]>::to_vec).join(&b'\n');
    // However the bytes arrive.
    let piece = bytes.first().map_or(1, |byte| usize::from(*byte) + 1);
    let results = cut(&text, piece);

    let expected: Vec<u64> = (1..)
        .zip(text.split(|byte| *byte == b'\n'))
        .filter(|(_, line)| !blank(line))
        .map(|(number, _)| number)
        .collect();
    let numbers: Vec<u64> = results.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, expected, "not one result a line, in order");
    let accepted = |at: Option<&(u64, Option<PostId>)>| at.and_then(|(_, id)| *id);
    assert_eq!(accepted(results.first()), Some(before), "the line before was not accepted");
    assert_eq!(accepted(results.last()), Some(after), "the line after was not accepted");
}

/// Blank lines have no result. A line that is too long is not looked at, so it never is blank.
fn blank(line: &[u8]) -> bool {
    line.len() <= LIMIT && without_mark(line).iter().all(u8::is_ascii_whitespace)
}

fn cut(text: &[u8], piece: usize) -> Vec<(u64, Option<PostId>)> {
    let (mut lines, mut waiting, mut results) = (Lines::new(LIMIT), BytesMut::new(), Vec::new());
    let mut take = |line: Line| {
        let post = line.text.ok().and_then(|text| read(&text, Ok(None), OffsetDateTime::UNIX_EPOCH).ok());
        results.push((line.number, post.map(|post| post.id)));
    };
    for piece in text.chunks(piece) {
        waiting.extend_from_slice(piece);
        while let Some(line) = lines.decode(&mut waiting).expect("cutting cannot fail") {
            take(line);
        }
    }
    while let Some(line) = lines.decode_eof(&mut waiting).expect("cutting cannot fail") {
        take(line);
    }
    results
}
