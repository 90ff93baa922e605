//! Which trace a post belongs to, as the W3C's Trace Context writes it into the header `traceparent`.
//!
//! `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`: the version, the trace, the span that comes before, and
//! flags, of which the last bit says whether the trace is recorded.

use std::fmt;
use std::str::FromStr;

/// The name of the header, in HTTP and on messages.
pub const TRACE_HEADER: &str = "traceparent";
/// How long a header of version 0 is. Later versions may only be longer.
const LENGTH: usize = 55;
/// A longer header is not read: no version is known that needs so much.
const MOST: usize = 512;

/// A place in a trace: what comes next is a child of this span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace's id; not all zeros.
    pub trace: [u8; 16],
    /// The span's id; not all zeros.
    pub span: [u8; 8],
    /// Whether whoever began the trace records it.
    pub sampled: bool,
}

/// A header that is no place in a trace. It is ignored, as the specification has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent of the W3C's Trace Context")]
pub struct NoTraceParent;

impl TraceParent {
    /// The trace's id, in hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex(&self.trace)
    }

    /// The span's id, in hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        hex(&self.span)
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let bytes = text.as_bytes();
        let known = bytes.len() == LENGTH || (LENGTH..=MOST).contains(&bytes.len()) && !text.starts_with("00");
        if !known || text.starts_with("ff") || bytes.get(LENGTH).is_some_and(|next| *next != b'-') {
            return Err(NoTraceParent);
        }
        if [2, 35, 52].iter().any(|at| bytes[*at] != b'-') {
            return Err(NoTraceParent);
        }
        let [_version] = digits(&bytes[..2])?;
        let (trace, span, [flags]) = (digits(&bytes[3..35])?, digits(&bytes[36..52])?, digits(&bytes[53..55])?);
        if trace == [0; 16] || span == [0; 8] {
            return Err(NoTraceParent);
        }
        Ok(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    /// As version 0 writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id(), self.span_id(), u8::from(self.sampled))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Two digits for each byte; capital letters are not allowed.
fn digits<const BYTES: usize>(text: &[u8]) -> Result<[u8; BYTES], NoTraceParent> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NoTraceParent),
    };
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_good_one_is_read_and_written_the_same() {
        let read: TraceParent = GOOD.parse().expect("it is the specification's example");
        assert_eq!((read.to_string().as_str(), read.sampled), (GOOD, true));
        assert_eq!(read.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for later in [GOOD.replacen("00", "01", 1), format!("{}-what-comes-later", GOOD.replacen("00", "cc", 1))] {
            assert_eq!(later.parse::<TraceParent>().map(|read| read.to_string()), Ok(GOOD.to_owned()), "{later}");
        }
        let flags = GOOD.replace("-01", "-fe").parse::<TraceParent>();
        assert_eq!(flags.map(|read| read.to_string()), Ok(GOOD.replace("-01", "-00")), "only one flag is known");
    }

    #[test]
    fn what_the_specification_calls_invalid_is_none() {
        for wrong in [
            String::new(),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            format!("{GOOD}-more"),
            format!("{}x", GOOD.replacen("00", "01", 1)),
            format!("{}-{}", GOOD.replacen("00", "01", 1), "x".repeat(MOST)),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace('-', "_"),
            GOOD.replace("b7ad", "b7é"),
            GOOD[..54].to_owned(),
        ] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(NoTraceParent), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_each_place_is_read_back(text in ".{0,80}", trace: [u8; 16], span: [u8; 8], sampled: bool) {
            let _ = text.parse::<TraceParent>();
            let place = TraceParent { trace, span, sampled };
            prop_assume!(trace != [0; 16] && span != [0; 8]);
            prop_assert_eq!(place.to_string().parse(), Ok(place));
        }
    }
}
