//! What two cases of the same failure have in common: the message without what differs from post to post.
//!
//! A name says what is wrong (the column that is too narrow, the check that refuses), a value only whose post it was.
//! In the messages of both servers they are told apart like this:
//!
//! ```text
//!  `in backticks`                                          a name: MySQL and MariaDB quote no value so
//!  column 'title', key 'u', constraint 'c', table 't', …   a name: the word before it says so
//!  entry 'x', value: 'x', and whatever else is quoted      a value, up to the last quote that can end it
//!  17, 2026-11-22, 0193a5b2-7c55-…, deadbeef01             a value
//! ```

use std::iter::Peekable;
use std::str::CharIndices;

/// The words that stand before a quoted name.
const NAMED: [&str; 13] = [
    "column",
    "key",
    "index",
    "constraint",
    "table",
    "field",
    "view",
    "trigger",
    "procedure",
    "function",
    "database",
    "event",
    "partition",
];
/// What follows a value in the servers' messages. The value itself may hold quotes.
const AFTER_A_VALUE: [&str; 3] = [" for key ", " for column ", " for field "];
/// The longest name, in bytes: three parts of 64 characters.
const NAME_MAX_BYTES: usize = 3 * 64 * 4;

/// The message with values folded away: `?` for what was quoted, `#` for numbers, ids and hashes. Names stay.
#[must_use]
pub fn normalise(message: &str) -> String {
    fold(message, true)
}

/// The message without what is quoted in it and is no name, which may be a user's text. Numbers stay.
#[must_use]
pub fn without_values(message: &str) -> String {
    fold(message, false)
}

fn fold(message: &str, numbers: bool) -> String {
    let mut folded = String::with_capacity(message.len());
    let mut chars = message.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match closing(c) {
            // An apostrophe inside a word opens nothing.
            Some(close) if !folded.ends_with(char::is_alphanumeric) => {
                let rest = &message[at + c.len_utf8()..];
                let name = (c == '`' || names(&folded)).then(|| rest.find(close)).flatten();
                match name.filter(|end| *end <= NAME_MAX_BYTES) {
                    Some(end) => {
                        folded.extend([c]);
                        folded.push_str(&rest[..end]);
                        folded.push(close);
                        skip_to(&mut chars, message.len() - rest.len() + end + close.len_utf8());
                    }
                    None => {
                        folded.push('?');
                        skip_to(&mut chars, message.len() - rest.len() + value_end(rest, close));
                    }
                }
            }
            // A number, an id, a hexadecimal hash: a run of hexadecimal digits and dashes that begins with a digit, or
            // any such run of eight and more.
            _ if numbers && c.is_ascii_hexdigit() && !folded.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                let mut run = String::from(c);
                while let Some((_, next)) = chars.next_if(|(_, next)| next.is_ascii_alphanumeric() || *next == '-') {
                    run.push(next);
                }
                let id = run.len() >= 8 && run.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
                if id || c.is_ascii_digit() { folded.push('#') } else { folded.push_str(&run) }
            }
            _ => folded.push(c),
        }
    }
    folded
}

/// What closes this quote.
fn closing(open: char) -> Option<char> {
    Some(match open {
        '\'' | '"' | '`' => open,
        '“' => '”',
        '‘' => '’',
        '«' => '»',
        _ => return None,
    })
}

/// Whether what comes after this text is a name.
fn names(before: &str) -> bool {
    let word = before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    before.ends_with(' ') && NAMED.iter().any(|named| named.eq_ignore_ascii_case(word))
}

/// Where a value ends, its closing quote included: at the last quote that what follows a value comes after, else at the
/// first that is no apostrophe inside a word, else at the end.
fn value_end(rest: &str, close: char) -> usize {
    let after = |at: usize| &rest[at + close.len_utf8()..];
    let mut ends = rest.match_indices(close).map(|(at, _)| at);
    let last = ends.clone().rfind(|at| AFTER_A_VALUE.iter().any(|words| after(*at).starts_with(words)));
    let first = || ends.find(|at| !after(*at).starts_with(char::is_alphanumeric));
    last.or_else(first).map_or(rest.len(), |at| at + close.len_utf8())
}

fn skip_to(chars: &mut Peekable<CharIndices<'_>>, end: usize) {
    while chars.next_if(|(at, _)| *at < end).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Messages as the servers wrote them, and what is left of each. MariaDB 10.11, then MySQL 9.
    const TABLE: &[(&str, &str)] = &[
        ("Data too long for column 'title' at row 17", "Data too long for column 'title' at row #"),
        ("Data too long for column 'author' at row 1", "Data too long for column 'author' at row #"),
        (
            "CONSTRAINT `short_title` failed for `sluice`.`posts`",
            "CONSTRAINT `short_title` failed for `sluice`.`posts`",
        ),
        ("Check constraint 'short_title' is violated.", "Check constraint 'short_title' is violated."),
        ("Duplicate entry 'a title' for key 'u_2'", "Duplicate entry ? for key 'u_2'"),
        ("Duplicate entry 'it's for key 'x' y' for key 'posts.u_2'", "Duplicate entry ? for key 'posts.u_2'"),
        (
            "Incorrect string value: '\\xF0\\x9F\\x98\\x80' for column `sluice`.`posts`.`title` at row 1",
            "Incorrect string value: ? for column `sluice`.`posts`.`title` at row #",
        ),
        (
            "Incorrect string value: '\\xF0\\x9F\\x98\\x80' for column 'title' at row 3",
            "Incorrect string value: ? for column 'title' at row #",
        ),
        ("Out of range value for column 'attempts' at row 1", "Out of range value for column 'attempts' at row #"),
        ("Data truncated for column 'verdict' at row 1", "Data truncated for column 'verdict' at row #"),
        (
            "Incorrect datetime value: '2026-11-22 16:00:00' for column `s`.`posts`.`submitted_at` at row 1",
            "Incorrect datetime value: ? for column `s`.`posts`.`submitted_at` at row #",
        ),
        ("Column 'author' cannot be null", "Column 'author' cannot be null"),
        ("Field 'site' doesn't have a default value", "Field 'site' doesn't have a default value"),
        ("Unknown column 'scores2' in 'INSERT INTO'", "Unknown column 'scores2' in ?"),
        ("Table 'sluice.posts' doesn't exist", "Table 'sluice.posts' doesn't exist"),
        ("The table 'posts' is full", "The table 'posts' is full"),
        (
            "Cannot add or update a child row: a foreign key constraint fails (`s`.`posts`, CONSTRAINT `known` FOREIGN \
             KEY (`author`) REFERENCES `authors` (`name`))",
            "Cannot add or update a child row: a foreign key constraint fails (`s`.`posts`, CONSTRAINT `known` FOREIGN \
             KEY (`author`) REFERENCES `authors` (`name`))",
        ),
        (
            "Invalid JSON text: \"Invalid value.\" at position 12 in value for column 'posts.reasons'.",
            "Invalid JSON text: ? at position # in value for column 'posts.reasons'.",
        ),
        ("PROCEDURE sluice.check_2 does not exist", "PROCEDURE sluice.check_2 does not exist"),
        (
            "Lock wait timeout exceeded; try restarting transaction",
            "Lock wait timeout exceeded; try restarting transaction",
        ),
        // A trigger's own words, our own, and quotes of other languages.
        ("author “bob” is blocked since 2026-11-22 16:00:00", "author ? is blocked since # #:#:#"),
        ("the message has no id: \"seven\" is none", "the message has no id: ? is none"),
        ("missing field `title` at line 1 column 20", "missing field `title` at line # column #"),
        ("can't read 'a' at line 12 of deadbeef01: bad face", "can't read ? at line # of #: bad face"),
        ("key 'never closed", "key ?"),
    ];

    #[test]
    fn names_stay_and_values_go() {
        for (message, left) in TABLE {
            assert_eq!(normalise(message), *left);
        }
    }

    #[test]
    fn a_message_without_values_keeps_its_numbers_and_names() {
        let said = "Incorrect string value: '\\xF0 at 7' for column `sluice`.`posts`.`title` at row 17";
        assert_eq!(without_values(said), "Incorrect string value: ? for column `sluice`.`posts`.`title` at row 17");
    }

    proptest! {
        #[test]
        fn a_value_never_makes_a_kind_of_its_own(value in "[ -~äß€😀]{0,40}") {
            let duplicate = |value: &str| normalise(&format!("Duplicate entry '{value}' for key 'u'"));
            prop_assert_eq!(duplicate(&value), duplicate("x"));
            let incorrect = |value: &str| normalise(&format!("Incorrect string value: '{value}' for column `t`.`c` at row 1"));
            prop_assert_eq!(incorrect(&value), incorrect("x"));
        }

        #[test]
        fn any_message_can_be_read(message in "(?s).{0,200}") {
            let _ = normalise(&message);
        }
    }
}
