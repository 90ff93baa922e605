//! Which protocol a server speaks that was taken for another: a port in an address is easily mistaken, and what a
//! reader of the right protocol says of the wrong one helps nobody.

/// What servers of MySQL and MariaDB speak.
pub const MYSQL: &str = "MySQL's protocol";

/// What the first bytes of a server are, for people; `None`: nothing that is known.
#[must_use]
pub fn protocol(first: &[u8]) -> Option<&'static str> {
    match first {
        // The length of a packet, its number, and the protocol's version or an error.
        [_, _, _, 0, 9 | 10 | 0xFF, ..] => Some(MYSQL),
        [b'A', b'M', b'Q', b'P', ..] | [1, 0, 0, ..] => Some("AMQP, RabbitMQ's protocol"),
        [0x15, 3, ..] => Some("TLS"),
        [b'H', b'T', b'T', b'P', b'/', ..] => Some("HTTP"),
        [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_server_name_its_protocol() {
        for (first, named) in [
            (&b"\x4a\0\0\0\x0a8.4.3\0"[..], Some(MYSQL)),
            (b"\x48\0\0\0\xff\x10\x04Too many connections", Some(MYSQL)),
            (b"\x01\0\0\0\0\x01\xf8\0\x0a\0\x0a\0\x09", Some("AMQP, RabbitMQ's protocol")),
            (b"AMQP\0\0\x09\x01", Some("AMQP, RabbitMQ's protocol")),
            (b"\x15\x03\x01\0\x02\x02\x46", Some("TLS")),
            (b"HTTP/1.1 400 Bad Request", Some("HTTP")),
            (b"SSH-2.0-OpenSSH", Some("SSH")),
            (b"hello", None),
            (b"", None),
        ] {
            assert_eq!(protocol(first), named, "{first:?}");
        }
    }
}
