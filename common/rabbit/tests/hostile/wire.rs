//! What comes from the broker, byte for byte. The first byte says in what pieces it comes; an `N` stands for the mark
//! at a frame's end, which is in no text.

use amq_protocol::frame::parse_frame;
use sluice_rabbit::broker::frame::clean;
use sluice_rabbit::broker::inbound::Inbound;

/// However it comes, all of it arrives, the same each time; and a frame around it is either as it was, or can be read.
pub(crate) fn holds(bytes: &[u8]) {
    let (size, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let rest: Vec<u8> = rest.iter().map(|byte| if *byte == b'N' { 0xCE } else { *byte }).collect();
    let rest = &rest[..];
    let whole = through(rest, rest.len().max(1), 4096);
    assert_eq!(whole.len(), rest.len(), "bytes were lost or made");
    for (piece, buffer) in [(1, 1), (usize::from(*size) + 1, 7), (usize::from(*size) + 1, 4096)] {
        assert_eq!(through(rest, piece, buffer), whole, "in pieces of {piece}, read {buffer} at a time");
    }
    for kind in 1..=3 {
        for start in [&[][..], &[0; 12], &[0, 60, 0, 60], &[0, 60, 0, 50]] {
            framed(kind, &[start, rest].concat());
        }
    }
}

fn framed(kind: u8, payload: &[u8]) {
    let size = u32::try_from(payload.len()).expect("a short input").to_be_bytes();
    let frame = [&[kind, 0, 1], &size[..], payload, &[0xCE]].concat();
    let mut cleaned = frame.clone();
    let changed = clean(&mut cleaned);
    assert_eq!((cleaned.len(), changed), (frame.len(), cleaned != frame));
    let mut again = cleaned.clone();
    assert!(!clean(&mut again), "what was cleaned is clean");
    // Whatever the library says of it: its stack does not overflow.
    let read = parse_frame(&cleaned[..]).is_ok();
    assert!(kind != 3 || (read && !changed), "a body is a body");
}

/// What is read of a stream that comes in such pieces by a reader with such a buffer.
fn through(bytes: &[u8], piece: usize, buffer: usize) -> Vec<u8> {
    let (mut inbound, mut pieces, mut read) = (Inbound::default(), bytes.chunks(piece), Vec::new());
    let mut rest: &[u8] = &[];
    let mut buffer = vec![0; buffer];
    loop {
        let given = inbound.give(&mut buffer);
        read.extend_from_slice(&buffer[..given]);
        if given > 0 {
            continue;
        }
        if rest.is_empty() {
            rest = pieces.next().unwrap_or_default();
        }
        let room = inbound.room();
        if room.is_empty() {
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            let passed = inbound.pass(&mut buffer[..count]);
            read.extend_from_slice(&buffer[..passed]);
            if count == 0 {
                return read;
            }
            rest = &rest[count..];
        } else {
            let count = rest.len().min(room.len());
            room[..count].copy_from_slice(&rest[..count]);
            inbound.came(count);
            rest = &rest[count..];
        }
    }
}
