//! One frame of AMQP 0-9-1, made readable in place.
//!
//! RabbitMQ takes and passes on what lapin cannot read: short strings that are not UTF-8, which make it end the
//! connection, and tables nested in hundreds of tables, which overflow its stack. Anybody who may publish can send
//! them, and every delivery of one would take the session or the process along. So each frame that holds bytes of
//! strangers is looked at before lapin sees it: a byte that is not UTF-8 becomes `?`, and a table or an array that lies
//! too deep becomes the byte array that it is on the wire anyway. No length changes, so nothing has to be moved.
//!
//! ```text
//!  type u8 │ channel u16 │ size u32 │ payload, size bytes │ 0xCE
//! ```
//!
//! Nothing is changed but what lapin would stumble over, and nothing beyond the point where a frame's layout is wrong:
//! lapin does not come further either, and then says what is wrong. What lies before that point is made harmless all
//! the same, because a stack overflows on the way there.

/// How many tables and arrays may lie within each other, the headers themselves being the first. RabbitMQ's own need
/// four. lapin manages some hundred; MariaDB, where the headers of a dropped dead letter are kept as JSON, takes 31.
pub const DEEPEST: usize = 16;
/// Type, channel and size.
pub(super) const HEAD: usize = 7;
/// What frames consist of beside their payload: the head and the mark at the end.
pub(super) const AROUND: usize = HEAD + 1;
/// The mark at a frame's end.
const END: u8 = 0xCE;

/// The types of frames.
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;

/// The properties of a message in their order on the wire, the first for the highest bit of the flags.
const PROPERTIES: [Property; 14] = {
    use Property::{Bytes, Headers, Text};
    [Text, Text, Headers, Bytes(1), Bytes(1), Text, Text, Text, Text, Bytes(8), Text, Text, Text, Text]
};

/// What a property is on the wire.
#[derive(Clone, Copy)]
enum Property {
    Text,
    Headers,
    Bytes(usize),
}

/// Makes one whole frame readable for lapin, in place; `true` if that changed it.
///
/// Only the frames that hold what strangers wrote are touched: a message's properties, and the methods that carry a
/// routing key or a reason.
pub fn clean(frame: &mut [u8]) -> bool {
    let [kind, .., END] = *frame else { return false };
    let Some(payload) = frame.len().checked_sub(AROUND) else { return false };
    let mut reader = Reader { bytes: &frame[..HEAD + payload], at: HEAD, edits: Vec::new() };
    // Where the layout ends the reading early, what was seen until then counts.
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

/// Walks through a payload and remembers what has to change; `None` as soon as the layout is not what it should be.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    edits: Vec<(usize, u8)>,
}

impl<'a> Reader<'a> {
    /// A content header: class, weight, the body's size, flags, and the properties that the flags name.
    fn properties(&mut self) -> Option<()> {
        self.take(2 + 2 + 8)?;
        let flags = self.short()?;
        for (nth, property) in PROPERTIES.iter().enumerate() {
            if flags & (1 << (15 - nth)) == 0 {
                continue;
            }
            match property {
                Property::Text => self.text()?,
                Property::Headers => self.table(1)?,
                Property::Bytes(count) => self.take(*count).map(drop)?,
            }
        }
        Some(())
    }

    /// A method, if it is one of those that carry what somebody else wrote.
    fn method(&mut self) -> Option<()> {
        match (self.short()?, self.short()?) {
            // basic.deliver: consumer tag, delivery tag, redelivered, exchange, routing key.
            (60, 60) => {
                self.text()?;
                self.take(8 + 1)?;
                self.text()?;
                self.text()
            }
            // basic.get-ok: delivery tag, redelivered, exchange, routing key.
            (60, 71) => {
                self.take(8 + 1)?;
                self.text()?;
                self.text()
            }
            // basic.return: code, reason, exchange, routing key.
            (60, 50) => {
                self.take(2)?;
                self.text()?;
                self.text()?;
                self.text()
            }
            // connection.close, channel.close: code, reason.
            (10, 50) | (20, 40) => {
                self.take(2)?;
                self.text()
            }
            _ => None,
        }
    }

    fn table(&mut self, depth: usize) -> Option<()> {
        let end = self.end()?;
        while self.at < end {
            self.text()?;
            self.value(depth)?;
        }
        (self.at == end).then_some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let end = self.end()?;
        while self.at < end {
            self.value(depth)?;
        }
        (self.at == end).then_some(())
    }

    /// A value with its tag, by RabbitMQ's reading of the tags.
    fn value(&mut self, depth: usize) -> Option<()> {
        let tag_at = self.at;
        let count = match self.byte()? {
            b'F' if depth < DEEPEST => return self.table(depth + 1),
            b'A' if depth < DEEPEST => return self.array(depth + 1),
            b'F' | b'A' => {
                self.edits.push((tag_at, b'x'));
                self.long()?
            }
            b'S' | b'x' => self.long()?,
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'u' | b'U' => 2,
            b'i' | b'I' | b'f' => 4,
            b'D' => 5,
            b'l' | b'L' | b'd' | b'T' => 8,
            _ => return None,
        };
        self.take(count).map(drop)
    }

    /// A short string: its bytes that are not UTF-8 become question marks.
    fn text(&mut self) -> Option<()> {
        let length = usize::from(self.byte()?);
        let mut at = self.at;
        let text = self.take(length)?;
        if std::str::from_utf8(text).is_ok() {
            return Some(());
        }
        for chunk in text.utf8_chunks() {
            at += chunk.valid().len();
            self.edits.extend((at..at + chunk.invalid().len()).map(|at| (at, b'?')));
            at += chunk.invalid().len();
        }
        Some(())
    }

    /// A length in four bytes, and where that much ends.
    fn end(&mut self) -> Option<usize> {
        let length = self.long()?;
        self.at.checked_add(length)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?;
        usize::try_from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).ok()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }
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
