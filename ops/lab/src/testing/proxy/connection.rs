//! One connection through the proxy.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::{Flow, Weather};

/// The most bytes that are passed, or delayed, at once.
const CHUNK: usize = 16 * 1024;

pub(super) async fn serve(mut client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let born = *weather.borrow_and_update();
    if born.flow == Flow::Cut {
        return reset(&client);
    }
    let mut ends = weather.clone();
    let cut = async move {
        // An error means that the proxy was dropped, which also ends this task.
        if ends.wait_for(|now| now.cuts != born.cuts).await.is_err() {
            pending::<()>().await;
        }
    };
    let mut server = None;
    let pass = async {
        tokio::time::sleep(born.wait).await;
        flows(&mut weather, born.strandings).await;
        let Ok(stream) = TcpStream::connect(target).await else { return Err(()) };
        let server = server.insert(stream);
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let upstream = pump(from_client, to_server, weather.clone(), born.strandings);
        let downstream = pump(from_server, to_client, weather.clone(), born.strandings);
        tokio::try_join!(upstream, downstream).map(drop).map_err(drop)
    };
    let whole = tokio::select! {
        () = cut => false,
        passed = pass => passed.is_ok(),
    };
    if !whole {
        reset(&client);
        if let Some(server) = &server {
            reset(server);
        }
    }
}

/// Passes bytes one way, until the sender is done.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    born: u64,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        flows(&mut weather, born).await;
        let read = from.read(&mut chunk).await?;
        let delay = weather.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        // It may have been frozen during the read.
        flows(&mut weather, born).await;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..read]).await?;
    }
}

/// Waits until bytes may pass on a connection that began after `born` strandings.
async fn flows(weather: &mut watch::Receiver<Weather>, born: u64) {
    if weather.wait_for(|now| now.flow == Flow::Open && now.strandings == born).await.is_err() {
        pending::<()>().await;
    }
}

/// Makes the connection end in a reset, not in an orderly close, once it is dropped.
fn reset(stream: &TcpStream) {
    // If that fails it is closed, which ends it for the peer as well.
    let _ = stream.set_zero_linger();
}
