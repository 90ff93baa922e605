//! One value of a rules file at a time: is it something that can be found in a post, and will it cost no more than it
//! should? The refusals say what to write instead.

use std::ops::Range;
use std::path::Path;

use regex::RegexBuilder;
use regex_syntax::hir;
use toml::Spanned;

use super::error::{RulesError, Source};
use super::file::Number;
use super::fold;
use super::table;
use super::ways::Way;

/// How much memory one pattern may take when compiled. Many times what a careful one needs, and little enough that
/// `(?u:.){1,2000}` is refused here rather than felt at every post.
const PATTERN_BYTES: usize = 1 << 20;
/// The longest id, name and category: they stand in every reason of every row.
const ID_MAX_CHARS: usize = 40;

/// An id, a category or the name of a rule set: what people type and rows keep.
pub(super) fn checked_id(id: &Spanned<String>, what: &str, source: Source<'_>) -> Result<String, RulesError> {
    let text = id.get_ref();
    if text.is_empty() || text.len() > ID_MAX_CHARS || !text.chars().all(fits_an_id) {
        let expected = format!("{what} of 1 to {ID_MAX_CHARS} ASCII letters, digits, `-`, `_` or `.`");
        return Err(source.invalid(&id.span(), format!("{text:?}"), expected));
    }
    Ok(text.clone())
}

/// The name of a rule set that gives none: the last part of its origin without the extension, as far as an id may
/// hold it.
pub(super) fn name_from(origin: &str) -> String {
    let stem = Path::new(origin).file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem.chars().take(ID_MAX_CHARS).map(|c| if fits_an_id(c) { c } else { '-' }).collect();
    if name.is_empty() { "rules".to_owned() } else { name }
}

fn fits_an_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// A weight: 0 is one, too.
pub(super) fn checked_weight(weight: &Spanned<Number>, max: u32, source: Source<'_>) -> Result<u32, RulesError> {
    match *weight.get_ref() {
        Number::Integer(0) => Ok(0),
        _ => checked_number(weight, "a weight, or 0,", max, source),
    }
}

/// A threshold, a bound or a distance.
pub(super) fn checked_number(
    number: &Spanned<Number>,
    what: &str,
    max: u32,
    source: Source<'_>,
) -> Result<u32, RulesError> {
    let (whole, found) = match *number.get_ref() {
        Number::Integer(integer) => (u32::try_from(integer).ok(), integer.to_string()),
        Number::Float(float) => ((1..=max).find(|whole| f64::from(*whole) == float), float.to_string()),
    };
    let expected = || format!("{what} from 1 to {max}");
    whole.filter(|whole| (1..=max).contains(whole)).ok_or_else(|| source.invalid(&number.span(), found, expected()))
}

/// A host as links are compared with it.
pub(super) fn checked_host(host: &Spanned<String>, source: Source<'_>) -> Result<String, RulesError> {
    let refused = || {
        let found = format!("the host {:?}", host.get_ref());
        source.invalid(&host.span(), found, "a name such as example.com, without scheme and path")
    };
    let ascii = idna::domain_to_ascii(host.get_ref().trim_end_matches('.')).map_err(|_| refused())?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!ascii.is_empty() && ascii.chars().all(fits)).then_some(ascii).ok_or_else(refused)
}

/// A term as the folded text would hold it. A single character is refused: on real comments one-character terms hit
/// harmless text as often as harmful text.
pub(super) fn checked_term(term: &Spanned<String>, source: Source<'_>) -> Result<String, RulesError> {
    let written = term.get_ref();
    let refuse = |found: String, expected: &str| Err(source.invalid(&term.span(), found, expected));
    let text = fold::folded(written.trim());
    if text.trim().is_empty() {
        return refuse(format!("the empty term {written:?}"), "a term of two characters or more");
    }
    if text.chars().count() < 2 {
        return refuse(format!("the one-character term {written:?}"), "a term of two characters or more");
    }
    Ok(text.trim().to_owned())
}

/// Compiles a pattern to the ways in which it can match.
///
/// `unicode(false)`: `\b`, `\d`, `\w` and `\s` mean ASCII, which is all that folded text needs of them, and saves the
/// factor of a hundred that a Unicode `\b` costs on Chinese text. Chinese literals are taken as they are; `(?u:.)` is
/// any one character and `(?u:[…])` a class of Chinese ones.
pub(super) fn compiled(pattern: &Spanned<String>, source: Source<'_>) -> Result<Vec<Way>, RulesError> {
    let text = pattern.get_ref();
    if let Some((at, c)) = unfolded(text) {
        let found = format!("{c:?} at character {} of a pattern", at + 1);
        let folded = fold::folded(c.encode_utf8(&mut [0; 4]));
        let expected = format!("{folded:?}, for patterns see folded text (lower case, plain width, no accents)");
        return Err(source.invalid(&pattern.span(), found, expected));
    }
    if has_unicode_edge(text) {
        let found = "a \\b or \\B for Unicode word boundaries";
        return Err(source.invalid(&pattern.span(), found, "it outside (?u…), where it means ASCII word boundaries"));
    }
    let regex = RegexBuilder::new(text).unicode(false).size_limit(PATTERN_BYTES).build();
    let regex = regex.map_err(|error| refused(&error, pattern, source))?;
    if regex.is_match("") {
        let found = "a pattern that matches the empty text, and therefore every post";
        return Err(source.invalid(&pattern.span(), found, "one that needs at least one character"));
    }
    // Their limit is the one of the whole, of which they are parts.
    Way::all(text).map_err(|error| refused(&error, pattern, source))
}

/// Whether a pattern turns Unicode on for a word's edge, which costs a hundred times as much on text that is not ASCII.
fn has_unicode_edge(pattern: &str) -> bool {
    let parsed = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    parsed.is_ok_and(|parsed| parsed.properties().look_set().contains_word_unicode())
}

/// The first character of a pattern that folded text never holds, so that the pattern could not match. What follows
/// a backslash is an operator (`\B`, `\W`) and is skipped.
fn unfolded(pattern: &str) -> Option<(usize, char)> {
    let mut escaped = false;
    pattern.chars().enumerate().find(|&(_, c)| {
        let operator = std::mem::take(&mut escaped);
        escaped = !operator && c == '\\';
        !operator && !c.is_ascii_whitespace() && !table::is_folded(c)
    })
}

/// Why the library does not take a pattern, in words for who wrote it.
fn refused(error: &regex::Error, pattern: &Spanned<String>, source: Source<'_>) -> RulesError {
    let (text, span) = (pattern.get_ref().as_str(), pattern.span());
    if let regex::Error::CompiledTooBig(limit) = error {
        return source.invalid(
            &span,
            "a pattern that is too large",
            format!("one that compiles to at most {limit} bytes"),
        );
    }
    let expected = "a regular expression of ASCII classes; (?u:.) is any character, (?u:[…]) a Chinese class";
    match regex_syntax::ParserBuilder::new().unicode(false).utf8(true).build().parse(text) {
        Err(regex_syntax::Error::Translate(error))
            if matches!(error.kind(), hir::ErrorKind::InvalidUtf8 | hir::ErrorKind::UnicodeNotAllowed) =>
        {
            let at = whole_class(text, error.span().start.offset..error.span().end.offset);
            let (piece, nth) = (&text[at.clone()], text[..at.start].chars().count() + 1);
            let found = format!("`{piece}` at character {nth} of a pattern, which stands for bytes there");
            source.invalid(&span, found, format!("`(?u:{piece})`, which stands for characters"))
        }
        Err(regex_syntax::Error::Parse(error)) => {
            let nth = text[..error.span().start.offset].chars().count() + 1;
            let found = format!("a pattern that cannot be read: {} at character {nth}", error.kind());
            source.invalid(&span, found, expected)
        }
        _ => {
            // The library draws the pattern with an arrow over several lines, then says what is wrong in the last one.
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            source.invalid(&span, format!("a pattern that cannot be read: {last}"), expected)
        }
    }
}

/// The class in brackets around a stretch of a pattern, if there is one, else the stretch.
fn whole_class(pattern: &str, at: Range<usize>) -> Range<usize> {
    let opened = pattern[..at.start].rfind('[').filter(|opened| !pattern[*opened..at.start].contains(']'));
    match (opened, pattern[at.end..].find(']')) {
        (Some(opened), Some(closed)) => opened..at.end + closed + 1,
        _ => at,
    }
}
