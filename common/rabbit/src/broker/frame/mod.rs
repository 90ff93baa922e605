//! One frame of AMQP 0-9-1, made readable in place.
//!
//! RabbitMQ delivers what lapin cannot read: short strings that are not UTF-8, at which it closes the connection, and
//! tables nested in hundreds of tables, which overflow its stack. Anybody who may publish can send them, and each
//! delivery would end the session or the process. So each frame with bytes of strangers is cleaned before lapin gets
//! it: a byte that is not UTF-8 becomes `?`, and a table or an array that lies too deep becomes the byte array that it
//! is on the wire anyway. No length changes, so nothing has to be moved.
//!
//! ```text
//!  type u8 │ channel u16 │ size u32 │ payload, size bytes │ 0xCE
//! ```
//!
//! Nothing else is changed, and nothing beyond the point where a frame's layout is wrong: lapin reads no further
//! either, and reports the error. What lies before that point is cleaned, because it could overflow the stack.

mod reader;

use reader::Reader;

/// How deep tables and arrays may be nested, the headers themselves being the first. RabbitMQ's own need four. lapin
/// can read some hundred, and the JSON of MariaDB, which archives the headers of a dropped dead letter, has 31.
pub const DEEPEST: usize = 16;
/// Type, channel and size.
pub(super) const HEAD: usize = 7;
/// The bytes of a frame beside its payload: the head and the mark at the end.
pub(super) const AROUND: usize = HEAD + 1;
const END: u8 = 0xCE;

/// The types of frames.
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// Makes one whole frame readable for lapin, in place; `true` if that changed it.
///
/// Only frames with bytes of strangers change: a message's properties, and the methods that have a routing key or a
/// reason.
pub fn clean(frame: &mut [u8]) -> bool {
    let [kind, .., END] = *frame else { return false };
    let Some(payload) = frame.len().checked_sub(AROUND) else { return false };
    let mut reader = Reader::new(&frame[..HEAD + payload], HEAD);
    // Even where a wrong layout ends the reading early, the edits before it are made.
    let _ = match kind {
        HEADER => reader.properties(),
        METHOD => reader.method(),
        _ => None,
    };
    let edits = reader.edits;
    for (at, byte) in &edits {
        frame[*at] = *byte;
    }
    !edits.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).expect("a short payload");
        [&[kind, 0, 1], &size.to_be_bytes()[..], payload, &[END]].concat()
    }

    /// A message's properties: these flags, and what they name.
    fn header(flags: u16, properties: &[u8]) -> Vec<u8> {
        framed(HEADER, &[&[0, 60, 0, 0], &[0; 8][..], &flags.to_be_bytes(), properties].concat())
    }

    /// Headers of one entry: a table in a table, so deep.
    fn nested(tag: u8, depth: usize) -> Vec<u8> {
        let mut inner = Vec::new();
        for _ in 0..depth {
            let size = u32::try_from(inner.len()).expect("a short table").to_be_bytes();
            let name: &[u8] = if tag == b'F' { b"\x01n" } else { b"" };
            inner = [name, &[tag], &size[..], &inner].concat();
        }
        let entry = if tag == b'F' { inner } else { [b"\x01n", &inner[..]].concat() };
        let size = u32::try_from(entry.len()).expect("a short table").to_be_bytes();
        header(1 << 13, &[&size[..], &entry].concat())
    }

    fn cleaned(frame: &[u8]) -> Vec<u8> {
        let mut bytes = frame.to_vec();
        assert_eq!(clean(&mut bytes), bytes != frame, "it says whether it changed anything");
        assert_eq!(bytes.len(), frame.len());
        bytes
    }

    #[test]
    fn a_frame_that_can_be_read_stays_as_it_is() {
        let properties = "\x10application/json\0\0\0\x14\x06größeS\0\0\0\x02\u{1}\u{2}\x01nV\x02\x05早a";
        let frame = header(1 << 15 | 1 << 13 | 1 << 12 | 1 << 7, properties.as_bytes());
        assert_eq!(cleaned(&frame), frame);
        for other in [framed(BODY, b"\xff\xfe"), framed(HEARTBEAT, b""), framed(METHOD, &[0, 60, 0, 80, 0xff])] {
            assert_eq!(cleaned(&other), other);
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_become_question_marks_in_every_short_string() {
        // The message id and the type.
        let frame = header(1 << 7 | 1 << 5, b"\x05a\xff\xfeb\xc3\x02ok");
        assert_eq!(cleaned(&frame), header(1 << 7 | 1 << 5, b"\x05a??b?\x02ok"));
        // A header's name, and one in a table of an array; long strings may be anything.
        let frame = header(1 << 13, b"\0\0\0\x18\x02\xffaS\0\0\0\x01\xff\x00A\0\0\0\x08F\0\0\0\x03\x01\xfeV");
        let clean = header(1 << 13, b"\0\0\0\x18\x02?aS\0\0\0\x01\xff\x00A\0\0\0\x08F\0\0\0\x03\x01?V");
        assert_eq!(cleaned(&frame), clean);
    }

    #[test]
    fn methods_that_carry_a_strangers_words_are_made_readable() {
        let deliver = [&[0, 60, 0, 60, 1, b't'], &[0xff; 9][..], b"\x01\xff\x02k\xff"].concat();
        let clean = [&[0, 60, 0, 60, 1, b't'], &[0xff; 9][..], b"\x01?\x02k?"].concat();
        assert_eq!(cleaned(&framed(METHOD, &deliver)), framed(METHOD, &clean));
        let got = [&[0, 60, 0, 71], &[0xff; 9][..], b"\x01\xff\x01\xff\0\0\0\xff"].concat();
        let clean = [&[0, 60, 0, 71], &[0xff; 9][..], b"\x01?\x01?\0\0\0\xff"].concat();
        assert_eq!(cleaned(&framed(METHOD, &got)), framed(METHOD, &clean));
        let returned = framed(METHOD, b"\0\x3c\0\x32\xff\xff\x01\xff\0\x01\xff");
        assert_eq!(cleaned(&returned), framed(METHOD, b"\0\x3c\0\x32\xff\xff\x01?\0\x01?"));
        let closed = framed(METHOD, b"\0\x14\0\x28\xff\xff\x01\xff\0\0\0\0");
        assert_eq!(cleaned(&closed), framed(METHOD, b"\0\x14\0\x28\xff\xff\x01?\0\0\0\0"));
    }

    #[test]
    fn what_lies_too_deep_becomes_bytes_and_nothing_else_does() {
        for tag in [b'F', b'A'] {
            let deep = nested(tag, DEEPEST - 1);
            assert_eq!(cleaned(&deep), deep);
            for depth in [DEEPEST, 2000] {
                let deep = nested(tag, depth);
                let changed: Vec<_> = deep.iter().zip(cleaned(&deep)).filter(|(was, is)| *was != is).collect();
                assert_eq!(changed, [(&tag, b'x')]);
            }
        }
    }

    #[test]
    fn a_layout_that_is_wrong_is_left_to_the_library_but_what_is_deep_before_it_is_not() {
        let mut deep = nested(b'F', 2000);
        let end = deep.len() - 2;
        deep[end] = 1;
        assert_ne!(cleaned(&deep), deep);
        // A string longer than the frame, an unknown tag, a table that ends within a value, a frame without its mark.
        let wrong: [&[u8]; 3] = [b"\x09\xff", b"\0\0\0\x03\x01n?", b"\0\0\0\x04\x01nS\0\0\0\x01\xff"];
        for (flags, properties) in [1 << 7, 1 << 13, 1 << 13].into_iter().zip(wrong) {
            let frame = header(flags, properties);
            assert_eq!(cleaned(&frame), frame);
        }
        let mut unmarked = header(1 << 7, b"\x01\xff");
        unmarked.pop();
        unmarked.push(0);
        assert_eq!(cleaned(&unmarked), unmarked);
        for short in [&[][..], &[END], &[HEADER, END]] {
            assert_eq!(cleaned(short), short);
        }
    }
}
