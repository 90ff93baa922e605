//! Bytes that come close to real ones: pure chance hardly ever gets past the first character.

use proptest::collection::vec;
use proptest::prelude::*;

/// Any bytes, or one of the examples with a stretch of it replaced by others.
pub(crate) fn spliced(examples: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..40),
        texts().prop_map(String::into_bytes),
        proptest::sample::select(vec!["\"", "\\", "{", "[", "null", "1e999", "\\ud800", "\n", "\0", "\u{feff}"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let cut = (proptest::sample::select(examples), any::<prop::sample::Index>(), 0usize..12, piece);
    let spliced = cut.prop_map(|(example, at, length, piece)| {
        let mut bytes = example.as_bytes().to_vec();
        let start = at.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece);
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..400), 1 => proptest::sample::select(examples).prop_map(|text| text.as_bytes().to_vec()), 6 => spliced]
}

/// Texts that are hard on readers: any characters, some of them very often.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let hard = proptest::sample::select(vec![
        "ﷺ",
        "ǆ",
        "İ",
        "ß",
        "e\u{301}",
        "\u{200b}",
        "\u{202e}",
        "👩‍👩‍👧",
        "\0",
        "\u{1b}[2J",
        "加微信",
        "kill yourself",
        "'",
        "\"",
        "`",
        "deadbeef",
        " ",
        "\n",
        "\u{10ffff}",
        "btc",
    ]);
    let words = vec(prop_oneof![hard.prop_map(str::to_owned), "(?s).{0,12}"], 0..20);
    (words, 1usize..8).prop_map(|(words, times)| words.concat().repeat(times))
}
