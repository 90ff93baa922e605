//! What listens at an address that should be MySQL's, and is not.

use std::time::Duration;

use sluice_core::foreign::protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long a server may take for a connection and its first bytes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks a server that says nothing by itself, as one of AMQP would begin; a server of MySQL would have spoken first.
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
