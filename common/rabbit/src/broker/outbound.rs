//! What goes to the broker, in whatever pieces: nothing of it is changed, it is only watched for the last words.

use super::frame::{AROUND, HEAD, METHOD};

/// The protocol's name and version, which a connection begins with. It is as long as the shortest frame.
const GREETING: usize = 8;
/// The method `connection.close`: class 10, id 50.
const CLOSE: [u8; 4] = [0, 10, 0, 50];

/// The stream to the broker.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    /// The first bytes of the frame under way.
    head: [u8; HEAD + CLOSE.len()],
    have: usize,
    /// How many of its other bytes are still to come.
    rest: usize,
    closing: bool,
}

impl Outbound {
    /// Looks at what was written; `true` once the end of the connection was asked for.
    pub(super) fn wrote(&mut self, mut bytes: &[u8]) -> bool {
        while !self.closing && !bytes.is_empty() {
            let skip = self.rest.min(bytes.len());
            self.rest -= skip;
            bytes = &bytes[skip..];
            let wanted = self.wanted();
            let taken = bytes.len().min(wanted - self.have);
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == self.wanted() && self.have > 0 {
                self.closing = self.have == self.head.len() && self.head.ends_with(&CLOSE);
                self.rest = self.size() - self.have;
                self.have = 0;
            }
        }
        self.closing
    }

    /// How many bytes have to be there to know the frame's length, and whether it is the last.
    fn wanted(&self) -> usize {
        let may_close = self.have >= GREETING && self.head.starts_with(&[METHOD, 0, 0]);
        if may_close && self.size() >= self.head.len() { self.head.len() } else { GREETING }
    }

    /// The length of the frame under way, of which the head is there.
    fn size(&self) -> usize {
        let [b'A', ..] = self.head else {
            let [_, _, _, one, two, three, four, ..] = self.head;
            return usize::try_from(u32::from_be_bytes([one, two, three, four]))
                .map_or(usize::MAX, |size| size.saturating_add(AROUND));
        };
        GREETING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETED: &[u8] = b"AMQP\0\0\x09\x01";
    /// A heartbeat, a body that looks like the last words, a method on another channel, and one with another number.
    const TALK: &[u8] = b"\x08\0\0\0\0\0\0\xce\x03\0\0\0\0\0\x04\0\x0a\0\x32\xce\
        \x01\0\x01\0\0\0\x04\0\x0a\0\x32\xce\x01\0\0\0\0\0\x04\0\x0a\0\x33\xce\x01\0\0\0\0\0\x02\0\x0a\xce";
    const LAST: &[u8] = b"\x01\0\0\0\0\0\x0b\0\x0a\0\x32\0\xc8\0\0\0\0\0\xce";

    #[test]
    fn the_last_words_are_heard_however_they_are_cut_and_nothing_else_is_taken_for_them() {
        for size in 1..=TALK.len() {
            let mut outbound = Outbound::default();
            for piece in [GREETED, TALK, TALK].concat().chunks(size) {
                assert!(!outbound.wrote(piece), "in pieces of {size}");
            }
            let heard: Vec<bool> = LAST.chunks(size).map(|piece| outbound.wrote(piece)).collect();
            assert_eq!(heard.last(), Some(&true), "in pieces of {size}");
            assert!(outbound.wrote(TALK), "it stays");
        }
    }
}
