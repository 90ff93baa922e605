//! A TCP proxy that can be cut, frozen and healed: the network between a program and its server, on purpose.
//!
//! ```text
//!  client ──► Proxy ──► target        open    passes everything
//!                                     frozen  keeps and accepts connections, passes nothing: a peer that hangs
//!                                     cut     resets connections, old and new: a peer that is gone
//! ```

mod connection;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use connection::serve;

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Frozen,
    Cut,
}

/// The state that all connections follow.
#[derive(Debug, Clone, Copy)]
struct Weather {
    flow: Flow,
    /// How often it was cut. A connection ends when this changes, so that a cut that heals at once still ends them all.
    cuts: u64,
    /// How often connections were stranded. Nothing passes on a connection once this has changed.
    strandings: u64,
    delay: Duration,
    /// How long each new connection waits before a byte passes on it.
    wait: Duration,
}

/// A running proxy. It ends, with all its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    weather: watch::Sender<Weather>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of `target`, on a free port of 127.0.0.1. To be called within a tokio runtime.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), target)
    }

    /// The same on a free port of another address of this machine.
    ///
    /// # Errors
    /// When this machine has no such address.
    pub fn start_on(host: IpAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((host, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let addr = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather {
            flow: Flow::Open,
            cuts: 0,
            strandings: 0,
            delay: Duration::ZERO,
            wait: Duration::ZERO,
        });
        let accepted = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, target, seen, Arc::clone(&accepted)));
        Ok(Self { addr, weather, accepted, task })
    }

    /// The address for clients.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections clients have opened so far, those that have ended included.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Resets every connection, and each new one.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.flow = Flow::Cut;
            weather.cuts += 1;
        });
    }

    /// Keeps every connection, accepts new ones, and passes no byte.
    pub fn freeze(&self) {
        self.weather.send_modify(|weather| weather.flow = Flow::Frozen);
    }

    /// Keeps every connection that there is, but never passes a byte of it again. New ones are not affected.
    pub fn strand(&self) {
        self.weather.send_modify(|weather| weather.strandings += 1);
    }

    /// Passes everything again, except on stranded connections; what was held back while frozen comes first.
    pub fn heal(&self) {
        self.weather.send_modify(|weather| weather.flow = Flow::Open);
    }

    /// Holds every chunk (of at most 16 KiB) back for this long, in both directions. Zero ends it.
    pub fn delay(&self, each: Duration) {
        self.weather.send_modify(|weather| weather.delay = each);
    }

    /// Lets each new connection wait so long before a byte passes on it, as at a server that is short of threads. Those
    /// that there are go on.
    pub fn keep_waiting(&self, each: Duration) {
        self.weather.send_modify(|weather| weather.wait = each);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections are tasks of this one, and end with it.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, weather: watch::Receiver<Weather>, count: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                count.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(client, target, weather.clone()));
            },
            // Those that have ended would otherwise stay in the set.
            Some(_) = connections.join_next() => {}
        }
    }
}
