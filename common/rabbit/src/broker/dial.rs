//! How lapin comes to its stream: as it would by itself, but that the stream is a [`Wire`].
//!
//! lapin is generic over its runtime, and takes the runtime's kind of TCP stream for its own. So this is tokio's in
//! everything but the connecting. Which node it connects to is decided here; TLS is made here, below the wire, which has
//! to see plain bytes. lapin itself is told an address without either.

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

use super::endpoint::Endpoint;
use super::nodes::Nodes;
use super::valve::Valve;
use super::wire::Wire;

/// Connects to the broker.
#[derive(Debug, Clone)]
pub(super) struct Dial {
    tokio: Tokio,
    /// Which of them it connects to is decided here, not by the address that lapin has.
    nodes: Arc<Nodes>,
    /// Whether the connection is to have TLS.
    tls: bool,
    /// What bounds the bytes that are read ahead, if they are to be bounded.
    valve: Option<Arc<Valve>>,
}

impl Dial {
    /// The runtime for lapin to work on: the current one, which has to be tokio's, with connections made here.
    pub(super) fn runtime(endpoint: &Endpoint, valve: Option<Arc<Valve>>) -> Runtime<RuntimeParts<Tokio, Self>> {
        let tokio = Tokio::current();
        let (nodes, tls) = (Arc::clone(&endpoint.nodes), endpoint.tls);
        Runtime::new(RuntimeParts::new(tokio.clone(), Self { tokio, nodes, tls, valve }))
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

    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let Self { tokio, nodes, tls, valve } = self.clone();
        async move {
            let (address, name) = nodes.next().await?;
            let stream = AsyncTcpStream::Plain(tokio.tcp_connect_addr(address).await?);
            let stream = match tls {
                true => stream.into_tls(&name, OwnedTLSConfig::default().as_ref()).await?,
                false => stream,
            };
            Ok(Wire::new(stream, Handle::current(), valve))
        }
    }
}
