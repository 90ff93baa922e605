//! Which servers these are, as they say it themselves when a client comes.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::readiness::{AMQP_HEADER, Greeting};

/// How long a server that is ready may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The server's version in the table of `connection.start`: its name with its length, and the type of a long string.
const AMQP_VERSION: &[u8] = b"\x07versionS";
/// Before the version in MySQL's greeting: the packet's head and the protocol's version.
const MYSQL_HEAD: usize = 5;
/// What MariaDB puts before its version for clients who know MySQL only.
const MARIADB_DISGUISE: &str = "5.5.5-";

/// The name and version of the server that greets on `port`: `RabbitMQ 4.3.6`, `MariaDB 10.11.19`.
pub(super) async fn version(port: u16, greeting: Greeting) -> Option<String> {
    let said = timeout(PATIENCE, greeting_of(port, greeting)).await.ok()?.ok()?;
    match greeting {
        Greeting::Accept => None,
        Greeting::Amqp => rabbitmq(&said),
        Greeting::Mysql => database(&said),
    }
}

/// The first packet or frame, or what of it came at once.
async fn greeting_of(port: u16, greeting: Greeting) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    if greeting == Greeting::Amqp {
        stream.write_all(&AMQP_HEADER).await?;
    }
    let mut said = vec![0; 4096];
    let length = stream.read(&mut said).await?;
    said.truncate(length);
    Ok(said)
}

fn rabbitmq(said: &[u8]) -> Option<String> {
    let begins = said.windows(AMQP_VERSION.len()).position(|window| window == AMQP_VERSION)? + AMQP_VERSION.len();
    let (length, rest) = said.get(begins..)?.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some(format!("RabbitMQ {}", String::from_utf8_lossy(rest.get(..length)?)))
}

fn database(said: &[u8]) -> Option<String> {
    let text = said.get(MYSQL_HEAD..)?.split(|byte| *byte == 0).next()?;
    let text = String::from_utf8_lossy(text);
    let version = text.strip_prefix(MARIADB_DISGUISE).unwrap_or(&text);
    let product = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    let number = version.split('-').next().filter(|number| !number.is_empty())?;
    Some(format!("{product} {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_server_is_known_by_its_greeting() {
        let packet = |version: &str| [b"\x5b\0\0\0\x0a", version.as_bytes(), b"\0\x08\0\0\0"].concat();
        let known = |version: &str| database(&packet(version));
        assert_eq!(known("5.5.5-10.11.19-MariaDB-0+deb12u1").as_deref(), Some("MariaDB 10.11.19"));
        assert_eq!(known("11.8.3-MariaDB").as_deref(), Some("MariaDB 11.8.3"));
        assert_eq!(known("9.7.4-2").as_deref(), Some("MySQL 9.7.4"));
        assert_eq!(database(b"\x03"), None);
    }

    #[test]
    fn a_broker_is_known_by_the_table_in_its_first_method() {
        let table = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x054.3.6\x04more";
        assert_eq!(rabbitmq(table).as_deref(), Some("RabbitMQ 4.3.6"));
        assert_eq!(rabbitmq(&table[..table.len() - 9]), None, "the frame is cut short");
    }
}
