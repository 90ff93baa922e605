//! Which protocol a server speaks that was taken for another: a port in an address is easily mistaken, and what a reader
//! of the right protocol says of the wrong one helps nobody.

#[cfg(feature = "store")]
use std::time::Duration;

#[cfg(feature = "store")]
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What servers of MySQL and MariaDB speak.
pub const MYSQL: &str = "MySQL's protocol";

/// What the first bytes of a server are, for people; `None`: nothing that is known.
#[must_use]
pub fn protocol(first: &[u8]) -> Option<&'static str> {
    match first {
        // The length of a packet, its number, and the protocol's version or an error.
        [_, _, _, 0, 9 | 10 | 0xFF, ..] => Some(MYSQL),
        [b'A', b'M', b'Q', b'P', ..] | [1, 0, 0, ..] => Some("AMQP, as RabbitMQ does"),
        [0x15, 3, ..] => Some("TLS"),
        [b'H', b'T', b'T', b'P', b'/', ..] => Some("HTTP"),
        [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
        _ => None,
    }
}

/// How long a server may take for a connection and its first bytes.
#[cfg(feature = "store")]
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks a server that says nothing by itself, as one of AMQP would begin; a server of MySQL would have spoken first.
#[cfg(feature = "store")]
pub(crate) async fn ask(host: &str, port: u16) -> Option<&'static str> {
    let mut first = [0; 16];
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect((host, port)).await.ok()?;
        stream.write_all(b"AMQP\0\0\x09\x01").await.ok()?;
        stream.read(&mut first).await.ok()
    };
    let read = tokio::time::timeout(PATIENCE, asked).await.ok()??;
    protocol(&first[..read])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_server_name_its_protocol() {
        for (first, named) in [
            (&b"\x4a\0\0\0\x0a8.4.3\0"[..], Some(MYSQL)),
            (b"\x48\0\0\0\xff\x10\x04Too many connections", Some(MYSQL)),
            (b"\x01\0\0\0\0\x01\xf8\0\x0a\0\x0a\0\x09", Some("AMQP, as RabbitMQ does")),
            (b"AMQP\0\0\x09\x01", Some("AMQP, as RabbitMQ does")),
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
