//! Texts that cost a careless review the square of their length.

/// What each shape repeats, by name. Between them they fill every view, every run and every list of the review.
pub(crate) const SHAPES: [(&str, &str); 21] = [
    ("one-latin-letter", "a"),
    ("one-han-character", "赌"),
    ("combining-marks", "\u{0301}"),
    ("zero-width", "\u{200B}"),
    ("turned-round", "\u{202E}a"),
    ("nested-entities", "amp;&"),
    ("entities", "&#36172;"),
    ("percent-signs", "%"),
    ("percent-encoded", "%E8%B5%8C"),
    ("separated-han", "赌*博*"),
    ("separated-latin", "f.u.c.k."),
    ("masked-letters", "f*ck "),
    ("twice-masked", "f**k "),
    ("masks", "*"),
    ("terms-without-end", "赌博"),
    ("one-host", "com."),
    ("many-links", "http://a.com/ "),
    ("half-links", "://www."),
    ("sums", "1,000.00 "),
    ("phrases-in-one-sign", "\u{FDFA}"),
    ("syllables", "각"),
];

/// A text of this shape, of at most so many bytes.
pub(crate) fn shaped(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes / unit.len())
}
