//! How lapin comes to its stream: as it would by itself, but that the stream is a [`Wire`].
//!
//! lapin is generic over its runtime, and takes the runtime's kind of TCP stream for its own. So this is tokio's in
//! everything but the connecting. TLS is made here, below the wire, which has to see plain bytes; lapin itself is told
//! an address without TLS.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use deadpool_lapin::lapin::AsyncTcpStream;
use deadpool_lapin::lapin::tcp::OwnedTLSConfig;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use tokio::runtime::Handle;

use super::valve::Valve;
use super::wire::Wire;

/// Connects to the broker.
#[derive(Debug, Clone)]
pub(super) struct Dial {
    tokio: Tokio,
    /// The name in the broker's certificate, if the connection is to have TLS.
    tls: Option<String>,
    /// What bounds the bytes that are read ahead, if they are to be bounded.
    valve: Option<Arc<Valve>>,
}

impl Dial {
    /// The runtime for lapin to work on: the current one, which has to be tokio's, with connections made here.
    pub(super) fn runtime(tls: Option<String>, valve: Option<Arc<Valve>>) -> Runtime<RuntimeParts<Tokio, Self>> {
        let tokio = Tokio::current();
        Runtime::new(RuntimeParts::new(tokio.clone(), Self { tokio, tls, valve }))
    }
}

impl Reactor for Dial {
    type TcpStream = Wire<AsyncTcpStream<<Tokio as Reactor>::TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (tcp, tls, valve) = (self.tokio.tcp_connect_addr(address), self.tls.clone(), self.valve.clone());
        async move {
            let stream = AsyncTcpStream::Plain(tcp.await?);
            let stream = match tls {
                Some(name) => stream.into_tls(&name, OwnedTLSConfig::default().as_ref()).await?,
                None => stream,
            };
            Ok(Wire::new(stream, Handle::current(), valve))
        }
    }
}
