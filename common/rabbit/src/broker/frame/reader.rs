//! The payload of a frame: which of its bytes have to change before lapin can read it.

use super::DEEPEST;

/// The properties of a message in their order on the wire, the first for the highest bit of the flags.
const PROPERTIES: [Property; 14] = {
    use Property::{Bytes, Headers, Text};
    [Text, Text, Headers, Bytes(1), Bytes(1), Text, Text, Text, Text, Bytes(8), Text, Text, Text, Text]
};

/// The form of a property on the wire.
#[derive(Clone, Copy)]
enum Property {
    Text,
    Headers,
    Bytes(usize),
}

/// Reads through a payload and notes what has to change; `None` as soon as the layout is wrong.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The places that have to change, and their new bytes.
    pub(super) edits: Vec<(usize, u8)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, edits: Vec::new() }
    }

    /// A content header: class, weight, the body's size, flags, and the properties that the flags name.
    pub(super) fn properties(&mut self) -> Option<()> {
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

    /// A method, if it is one with bytes of strangers.
    pub(super) fn method(&mut self) -> Option<()> {
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
