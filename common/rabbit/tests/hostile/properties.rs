//! Properties of a message as they are on the wire, laid out as they should be, whatever they say.

use amq_protocol::frame::parse_frame;
use proptest::collection::vec;
use proptest::prelude::*;
use sluice_rabbit::broker::frame::clean;

/// Bytes on the wire, and whether the library can read them as they are.
type Wire = (Vec<u8>, bool);

/// The flags of a message's properties, and what they name.
pub(crate) fn properties() -> impl Strategy<Value = (u16, Wire)> {
    (any::<u16>(), vec(names(), 11), entries(values()), 0usize..60).prop_map(|(flags, texts, headers, deep)| {
        let flags = flags & 0xfffc;
        let (mut wire, mut readable) = (Vec::new(), true);
        let mut texts = texts.into_iter();
        for bit in (2..16).rev().filter(|bit| flags & (1 << bit) != 0) {
            match bit {
                13 => {
                    let inner = (0..deep).fold(headers.0.clone(), |inner, _| [b"\x01nF", &long(&inner)[..]].concat());
                    wire.extend(long(&inner));
                    // Each of the values may go a few tables deeper.
                    readable &= headers.1 && deep < 10;
                }
                12 | 11 => wire.push(0xff),
                6 => wire.extend([0xff; 8]),
                _ => {
                    let (text, valid) = texts.next().expect("one for each");
                    wire.extend(text);
                    readable &= valid;
                }
            }
        }
        (flags, (wire, readable))
    })
}

/// Properties of a message that are laid out as they should be can be read once they were cleaned, and stay as they
/// are if they could be read before.
pub(crate) fn readable((flags, (properties, as_it_is)): &(u16, Wire)) {
    let payload = [&[0, 60, 0, 0], &[0; 8][..], &flags.to_be_bytes(), properties].concat();
    let size = u32::try_from(payload.len()).expect("a short input").to_be_bytes();
    let frame = [&[2, 0, 1], &size[..], &payload, &[0xCE]].concat();
    let mut cleaned = frame.clone();
    clean(&mut cleaned);
    let read = parse_frame(&cleaned[..]);
    assert!(matches!(read, Ok((rest, _)) if rest.is_empty()), "{frame:?}");
    assert!(!*as_it_is || cleaned == frame, "{frame:?}");
}

fn names() -> impl Strategy<Value = Wire> {
    let names = prop_oneof![4 => "\\PC{0,20}".prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..60)];
    names.prop_map(|name| {
        let length = u8::try_from(name.len()).expect("a short name");
        let valid = std::str::from_utf8(&name).is_ok();
        ([&[length], &name[..]].concat(), valid)
    })
}

/// A value of each type, with its tag.
fn values() -> impl Strategy<Value = Wire> {
    let fixed = [("tbB", 1), ("suU", 2), ("iIf", 4), ("D", 5), ("lLdT", 8), ("V", 0)];
    let fixed: Vec<(u8, usize)> =
        fixed.iter().flat_map(|(tags, length)| tags.bytes().map(|tag| (tag, *length))).collect();
    let fixed = (proptest::sample::select(fixed), any::<u8>())
        .prop_map(|((tag, length), byte)| ([vec![tag], vec![byte; length]].concat(), true));
    let bytes = (proptest::sample::select(vec![b'S', b'x']), vec(any::<u8>(), 0..60))
        .prop_map(|(tag, bytes)| ([vec![tag], long(&bytes)].concat(), true));
    prop_oneof![fixed, bytes].prop_recursive(4, 24, 4, |inner| {
        let arrays = vec(inner.clone(), 0..4).prop_map(|values| tagged(b'A', together(values)));
        prop_oneof![arrays, entries(inner).prop_map(|entries| tagged(b'F', entries))]
    })
}

fn entries(values: impl Strategy<Value = Wire>) -> impl Strategy<Value = Wire> {
    let entry = (names(), values).prop_map(|(name, value)| together(vec![name, value]));
    vec(entry, 0..4).prop_map(together)
}

fn together(parts: Vec<Wire>) -> Wire {
    let valid = parts.iter().all(|(_, valid)| *valid);
    (parts.into_iter().flat_map(|(bytes, _)| bytes).collect(), valid)
}

fn tagged(tag: u8, (bytes, valid): Wire) -> Wire {
    ([vec![tag], long(&bytes)].concat(), valid)
}

/// With its length before it.
fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).expect("not that long").to_be_bytes(), bytes].concat()
}
