//! The address of a server, read strictly: each part of it is used as it is written, or refused. What is said of a
//! wrong one repeats nothing that may be a part of its password.

use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// What may end the part of an address that names user, password and host.
pub(crate) const ENDS: [char; 3] = ['/', '?', '#'];
/// What is said of an `@` behind one of them: what stands before it may be the end of a password, and what would be
/// read as the host its beginning.
const BEHIND: &str = "it contains an `@` after a `/`, `?` or `#`. In a user name or password, write these as %2F, %3F \
                      and %23; after the host, write `@` as %40";
/// How much of a parameter is repeated where it is wrong, in characters.
const SHOWN_MAX: usize = 40;

/// A parameter that an address may have: `?name=value`.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What values it takes, for people.
    pub takes: &'static str,
    /// Whether it takes this value.
    pub fits: fn(&str) -> bool,
}

/// Reads an address of the form `scheme://user:password@host:port/path?parameters`.
///
/// # Errors
/// What is wrong, without any part of the address that may be a password.
pub fn read(text: &str) -> Result<Url, String> {
    check_form(text)?;
    let url = Url::parse(text).map_err(|error| format!("not a URL ({error})"))?;
    // To a URL of HTTP a `\` is a `/`.
    if url.path().contains('@') {
        return Err(BEHIND.to_owned());
    }
    if url.cannot_be_a_base() {
        return Err("not a URL (it does not begin with a scheme and `://`)".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    if url.fragment().is_some() {
        return Err("it contains a `#`; write it as %23".to_owned());
    }
    let texts = [("user", url.username()), ("password", url.password().unwrap_or_default()), ("path", url.path())];
    let unreadable = texts.iter().find(|(_, text)| percent_decode_str(text).decode_utf8().is_err());
    if let Some((part, _)) = unreadable {
        return Err(format!("its {part} is not UTF-8 after percent-decoding"));
    }
    Ok(url)
}

/// Refuses what would be read as something else than it says.
pub(crate) fn check_form(text: &str) -> Result<(), String> {
    if text.contains(|c: char| c.is_ascii_control()) {
        // The reader of URLs would leave tabs and line breaks out, and say nothing.
        return Err("it contains a line break, a tab or another control character".to_owned());
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let behind = rest.find(ENDS).map_or("", |end| &rest[end..]);
    if behind.contains('@') {
        return Err(BEHIND.to_owned());
    }
    Ok(())
}

/// The host of an address, as it is looked up and as it stands in a certificate: an IPv6 address without brackets.
#[must_use]
pub fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(ip)) => ip.to_string(),
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Domain(name)) => percent_decode_str(name).decode_utf8_lossy().into_owned(),
        None => String::new(),
    }
}

/// Host and port of an address, for messages.
#[must_use]
pub fn at(url: &Url, default_port: u16) -> String {
    let (host, port) = (host(url), url.port().unwrap_or(default_port));
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Holds the parameters of an address against those that it may have.
///
/// # Errors
/// The first one that is unknown, wrong or given twice, with what would do.
pub fn check(url: &Url, known: &[Parameter]) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in url.query_pairs() {
        let Some(Parameter { name, takes, fits }) = known.iter().find(|parameter| parameter.name == name) else {
            let known: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
            return Err(format!("its parameter `{}` is unknown; known parameters: {}", shown(&name), known.join(", ")));
        };
        if seen.contains(name) {
            return Err(format!("its parameter `{name}` is given twice"));
        }
        if !fits(&value) {
            return Err(format!("its parameter `{name}` is `{}`; it must be {takes}", shown(&value)));
        }
        seen.push(name);
    }
    Ok(())
}

/// The value of a parameter, if it is given.
#[must_use]
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// Whether a value is a number of this range, in decimal digits alone.
#[must_use]
pub fn is_within(value: &str, range: &RangeInclusive<u64>) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit()) && value.parse().is_ok_and(|number| range.contains(&number))
}

/// Whether a value is a truth value, as it is written in an address.
#[must_use]
pub fn is_bool(value: &str) -> bool {
    matches!(value, "true" | "false")
}

fn shown(text: &str) -> String {
    text.escape_debug().take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_is_a_host_without_brackets_and_is_shown_with_them() {
        for (text, wanted, shown) in [
            ("amqp://u:p@[::1]/v", "::1", "[::1]:5"),
            ("mysql://[2001:db8::1]:7/n", "2001:db8::1", "[2001:db8::1]:7"),
            ("amqp://127.0.0.1", "127.0.0.1", "127.0.0.1:5"),
            ("amqp://ho%73t:7", "host", "host:7"),
        ] {
            let url = read(text).expect(text);
            assert_eq!((host(&url).as_str(), at(&url, 5).as_str()), (wanted, shown), "{text}");
        }
    }

    #[test]
    fn what_would_be_left_out_or_taken_for_something_else_is_refused() {
        for text in [
            "",
            "localhost",
            "me:secret@host",
            "amqp://",
            "amqp://h:x",
            "amqp://h/#v",
            "amqp://me:sec\nret@h",
            "amqp://me:%ff@h",
            "amqp://[::1",
            "amqp://[fe80::1%25eth0]",
            "amqp://me:1/secret@h",
            "amqp://me:1?secret@h",
            "amqp://me:1#secret@h",
            "http://me:1\\secret@h",
        ] {
            let problem = read(text).expect_err(text);
            assert!(!problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn parameters_are_known_right_and_given_once() {
        let known = [
            Parameter { name: "size", takes: "1 to 9", fits: |value| is_within(value, &(1..=9)) },
            Parameter { name: "checked", takes: "true or false", fits: is_bool },
        ];
        let checked = |query: &str| check(&read(&format!("amqp://h/?{query}")).expect(query), &known);
        for right in ["", "size=9", "checked=true&size=1"] {
            assert_eq!(checked(right), Ok(()), "{right}");
        }
        for (wrong, named) in [
            ("size=0", "size"),
            ("size", "size"),
            ("size=+1", "size"),
            ("size=1.5", "size"),
            ("checked=yes", "checked"),
            ("size=1&size=1", "twice"),
            ("color=red", "color"),
            ("size=1&Size=1", "Size"),
        ] {
            let problem = checked(wrong).expect_err(wrong);
            assert!(problem.contains(named), "{wrong}: {problem}");
        }
    }
}
