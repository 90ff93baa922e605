//! What comes from the broker, in whatever pieces: where frames begin and end, and which of them have to be whole.
//!
//! Bodies pass through where they lie, in the reader's own buffer. So do properties and methods, which are cleaned
//! there; only one that is cut by the end of what was read is held back until the rest of it has come.

use super::frame::{AROUND, BODY, HEAD, HEADER, HEARTBEAT, METHOD, clean};

/// The largest frame that is held back to be cleaned; RabbitMQ agrees on 128 KiB unless it is told otherwise.
const LARGEST: usize = 1 << 20;

/// The stream from the broker, frame by frame.
#[derive(Debug, Default)]
pub struct Inbound {
    /// How many bytes of the frame under way pass without a look.
    passing: usize,
    /// What is no AMQP, as a TLS alert, passes without a look for good.
    lost: bool,
    /// A frame that is not whole yet, or one that is and was not given on yet.
    held: Vec<u8>,
    /// How many bytes of it have come.
    have: usize,
    /// How many bytes of it were given on; `None` while it is held back.
    given: Option<usize>,
    /// The broker has said that the connection is open.
    open: bool,
}

/// How `connection.open-ok` begins: its class and its method.
const OPEN_OK: [u8; 4] = [0, 10, 0, 41];

/// What the first bytes of a frame say about it.
enum Extent {
    /// Not enough of them to say.
    Unknown,
    /// So many bytes that need not be whole.
    Passing(usize),
    /// So many bytes, all of which have to be there.
    Whole(usize),
    /// No frame.
    Foreign,
}

impl Inbound {
    /// Cleans what has just been read, in place, while nothing is held back. Gives how many bytes from its beginning
    /// may go on; the others are held back.
    pub fn pass(&mut self, chunk: &mut [u8]) -> usize {
        let mut at = 0;
        loop {
            let pass = self.passing.min(chunk.len() - at);
            self.passing -= pass;
            at += pass;
            if self.lost || at == chunk.len() {
                return chunk.len();
            }
            let rest = &mut chunk[at..];
            match extent(rest) {
                Extent::Passing(size) => self.passing = size,
                Extent::Whole(size) if size <= rest.len() => {
                    self.open |= opens(&rest[..size]);
                    clean(&mut rest[..size]);
                    at += size;
                }
                Extent::Foreign => self.lost = true,
                Extent::Unknown | Extent::Whole(_) => {
                    self.held.clear();
                    self.held.extend_from_slice(rest);
                    self.have = rest.len();
                    return at;
                }
            }
        }
    }

    /// Where the next bytes have to be read to while a frame is held back; else empty.
    pub fn room(&mut self) -> &mut [u8] {
        if self.have == 0 || self.given.is_some() {
            return &mut [];
        }
        let wanted = match extent(&self.held[..self.have]) {
            Extent::Whole(size) => size,
            _ => HEAD,
        };
        self.held.resize(wanted.max(self.have), 0);
        &mut self.held[self.have..]
    }

    /// So many bytes were read to [`Inbound::room`]; none means that no more will come.
    pub fn came(&mut self, count: usize) {
        self.have = (self.have + count).min(self.held.len());
        let held = &mut self.held[..self.have];
        match extent(held) {
            // Half a frame is the reader's business.
            _ if count == 0 => {}
            Extent::Whole(size) if size <= held.len() => {
                self.open |= opens(held);
                clean(held);
            }
            Extent::Passing(size) => self.passing = size - self.have,
            Extent::Foreign => self.lost = true,
            Extent::Unknown | Extent::Whole(_) => return,
        }
        self.given = Some(0);
    }

    /// Whether the broker has said that the connection is open.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether what comes is no AMQP.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Gives on what is no longer held back; the number of bytes.
    pub fn give(&mut self, buffer: &mut [u8]) -> usize {
        let Some(given) = self.given else { return 0 };
        let rest = &self.held[given..self.have];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        if count == rest.len() {
            (self.have, self.given) = (0, None);
        } else {
            self.given = Some(given + count);
        }
        count
    }
}

fn opens(frame: &[u8]) -> bool {
    frame.first() == Some(&METHOD) && frame.get(HEAD..).is_some_and(|method| method.starts_with(&OPEN_OK))
}

fn extent(bytes: &[u8]) -> Extent {
    match bytes.first() {
        None => return Extent::Unknown,
        Some(&(METHOD | HEADER | BODY | HEARTBEAT)) => {}
        Some(_) => return Extent::Foreign,
    }
    let [kind, _, _, size @ ..] = bytes else { return Extent::Unknown };
    let Some((size, _)) = size.split_first_chunk() else { return Extent::Unknown };
    let Some(size) = usize::try_from(u32::from_be_bytes(*size)).ok().and_then(|size| size.checked_add(AROUND)) else {
        return Extent::Foreign;
    };
    match *kind {
        METHOD | HEADER if size <= LARGEST => Extent::Whole(size),
        _ => Extent::Passing(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message id that is not UTF-8, a body, and the beginning of what follows.
    const STREAM: &[u8] = b"\x02\0\x01\0\0\0\x10\0\x3c\0\0\0\0\0\0\0\0\0\x03\0\x80\x01\xff\xce\
        \x03\0\x01\0\0\0\x03\xff\xff\xff\xce\x08\0\0";
    const AT: usize = 22;

    #[test]
    fn only_a_frame_that_is_cut_is_held_back_and_no_more_of_it_than_there_is() {
        let mut inbound = Inbound::default();
        let mut whole = STREAM.to_vec();
        assert_eq!(inbound.pass(&mut whole), STREAM.len() - 3, "the cut head of the last frame is held back");
        assert_eq!((whole[AT], whole[AT + 9]), (b'?', 0xff));
        assert_eq!(inbound.room().len(), 4);
        inbound.came(0);
        let mut rest = [0; 10];
        assert_eq!(inbound.give(&mut rest), 3, "at the end of the stream it goes on as it is");
        assert_eq!(rest[..3], [8, 0, 0]);

        let mut inbound = Inbound::default();
        assert_eq!(inbound.pass(&mut STREAM[..AT].to_vec()), 0);
        assert_eq!(inbound.room().len(), 2);
        inbound.room().copy_from_slice(&STREAM[AT..AT + 2]);
        inbound.came(2);
        let mut frame = [0; AT + 2];
        assert_eq!((inbound.give(&mut frame[..5]), inbound.give(&mut frame[5..])), (5, AT - 3));
        assert_eq!(frame[AT], b'?');
        assert_eq!(inbound.room().len(), 0);
    }

    #[test]
    fn a_connection_is_open_when_the_broker_says_so_in_however_many_pieces() {
        let frame = b"\x01\0\0\0\0\0\x05\0\x0a\0\x29\0\xce";
        let mut inbound = Inbound::default();
        assert!(!inbound.is_open());
        inbound.pass(&mut frame.to_vec());
        assert!(inbound.is_open());
        let mut inbound = Inbound::default();
        inbound.pass(&mut frame[..9].to_vec());
        assert!(!inbound.is_open());
        inbound.room().copy_from_slice(&frame[9..]);
        inbound.came(frame.len() - 9);
        assert!(inbound.is_open());
    }

    #[test]
    fn what_is_no_amqp_and_what_is_too_large_passes_at_once() {
        let mut alert = b"\x15\x03\x03\0\x02".to_vec();
        assert_eq!(Inbound::default().pass(&mut alert), 5);
        let mut huge = b"\x02\0\x01\x7f\xff\xff\xff\0\x3c".to_vec();
        assert_eq!(Inbound::default().pass(&mut huge), 9);
    }
}
