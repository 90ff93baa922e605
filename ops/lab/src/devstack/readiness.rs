//! Whether a server can be used: it greets in its own protocol, on a socket that is its own.
//!
//! A port that answers is not enough. When two stacks start at the same time, one may see the other's server on a port
//! that it was about to take; so the listening socket is looked up, and must belong to the process that we started.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one question may take: a server that is starting up, or frozen, accepts and says nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// `AMQP` and the version 0-9-1: what a client says first.
pub(super) const AMQP_HEADER: [u8; 8] = *b"AMQP\x00\x00\x09\x01";
/// The type of a frame that holds a method: `connection.start`.
const AMQP_METHOD_FRAME: u8 = 1;
/// The version in a MySQL server's greeting. An error (too many connections, say) has 0xff in its place.
const MYSQL_GREETING: u8 = 10;
/// The state of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// How a server shows that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// It takes a connection.
    Accept,
    /// It answers a client's header with a method. RabbitMQ opens this port after all others.
    Amqp,
    /// It speaks first, with its version.
    Mysql,
}

/// Whether process `pid` listens on `port` and greets there.
pub(super) async fn is_ready(pid: u32, port: u16, greeting: Greeting) -> bool {
    listens(pid, port) && matches!(timeout(PATIENCE, greets(port, greeting)).await, Ok(Ok(true)))
}

async fn greets(port: u16, greeting: Greeting) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    match greeting {
        Greeting::Accept => Ok(true),
        Greeting::Amqp => {
            stream.write_all(&AMQP_HEADER).await?;
            Ok(stream.read_u8().await? == AMQP_METHOD_FRAME)
        }
        Greeting::Mysql => {
            // Three bytes of length, one of sequence, then the version.
            let mut head = [0; 5];
            stream.read_exact(&mut head).await?;
            Ok(head[4] == MYSQL_GREETING)
        }
    }
}

/// Whether one of the process's open files is the socket that listens on this port of 127.0.0.1.
fn listens(pid: u32, port: u16) -> bool {
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else { return false };
    let sockets: Vec<String> = table.lines().filter_map(|line| listening_socket(line, port)).collect();
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let mut targets = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

/// The socket of a line of `/proc/net/tcp`, as a link in `/proc/PID/fd` names it, if it listens on `port`.
///
/// ```text
///   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
///    0: 0100007F:5209 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22417 1 …
/// ```
fn listening_socket(line: &str, port: u16) -> Option<String> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let (_, local_port) = local.split_once(':')?;
    let matches = *state == LISTENING && u16::from_str_radix(local_port, 16) == Ok(port);
    matches.then(|| format!("socket:[{inode}]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_listening_socket_is_found_by_its_port() {
        let line = "   0: 0100007F:5209 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 22417 1 0 100";
        assert_eq!(listening_socket(line, 0x5209), Some("socket:[22417]".to_owned()));
        assert_eq!(listening_socket(line, 0x520a), None);
        assert_eq!(listening_socket(&line.replace(" 0A ", " 01 "), 0x5209), None);
        assert_eq!(listening_socket("  sl  local_address rem_address   st", 0x5209), None);
    }

    #[tokio::test]
    async fn a_greeting_counts_only_from_the_process_that_should_give_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        assert!(is_ready(std::process::id(), port, Greeting::Accept).await);
        assert!(!is_ready(1, port, Greeting::Accept).await);
    }

    #[tokio::test]
    async fn an_error_in_place_of_a_greeting_is_no_greeting() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        tokio::spawn(async move {
            for version in [0xff, MYSQL_GREETING] {
                let (mut stream, _) = listener.accept().await.expect("a client");
                stream.write_all(&[23, 0, 0, 0, version]).await.expect("a client that reads");
            }
        });
        assert!(!greets(port, Greeting::Mysql).await.expect("five bytes"));
        assert!(greets(port, Greeting::Mysql).await.expect("five bytes"));
    }
}
