//! A TCP proxy that can be cut, frozen and healed: the network between a program and its server, on purpose.
//!
//! ```text
//!  client ──► Proxy ──► target        open    passes everything
//!                                     frozen  keeps and takes connections, passes nothing: a peer that hangs
//!                                     cut     resets what there is, and what comes: a peer that is gone
//! ```

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How much is passed at once, and delayed at once.
const CHUNK: usize = 16 * 1024;

/// What the proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Frozen,
    Cut,
}

/// What every connection looks at.
#[derive(Debug, Clone, Copy)]
struct Weather {
    flow: Flow,
    /// How often it was cut. A connection ends when this is not what it was at its beginning, so that a cut that heals
    /// at once still ends all there are.
    cuts: u64,
    /// How often those that were there were stranded: nothing passes when this is not what it was at its beginning.
    strandings: u64,
    delay: Duration,
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
    /// When no port can be had.
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
        let (weather, seen) =
            watch::channel(Weather { flow: Flow::Open, cuts: 0, strandings: 0, delay: Duration::ZERO });
        let accepted = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, target, seen, Arc::clone(&accepted)));
        Ok(Self { addr, weather, accepted, task })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections clients have opened so far, those that have ended included.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Resets every connection, and each new one at once.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.flow = Flow::Cut;
            weather.cuts += 1;
        });
    }

    /// Keeps every connection, takes new ones, and passes no byte.
    pub fn freeze(&self) {
        self.weather.send_modify(|weather| weather.flow = Flow::Frozen);
    }

    /// Keeps every connection there is, and passes no byte of theirs ever again. New ones are not concerned.
    pub fn strand(&self) {
        self.weather.send_modify(|weather| weather.strandings += 1);
    }

    /// Passes everything again, but for what is stranded; what was held back while frozen comes first.
    pub fn heal(&self) {
        self.weather.send_modify(|weather| weather.flow = Flow::Open);
    }

    /// Holds every chunk (of at most 16 KiB) back for this long, in both directions. Zero ends it.
    pub fn delay(&self, each: Duration) {
        self.weather.send_modify(|weather| weather.delay = each);
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
            // Taken out as they end, or they would accumulate.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, from its first byte to its end.
async fn serve(mut client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let born = *weather.borrow_and_update();
    if born.flow == Flow::Cut {
        return reset(&client);
    }
    let mut ends = weather.clone();
    let cut = async move {
        // An error is the end of the proxy, which ends this task by itself.
        if ends.wait_for(|now| now.cuts != born.cuts).await.is_err() {
            pending::<()>().await;
        }
    };
    let mut server = None;
    let pass = async {
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
        // It may have been frozen while this waited for the sender.
        flows(&mut weather, born).await;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..read]).await?;
    }
}

/// Waits until bytes may pass on a connection that began after so many strandings.
async fn flows(weather: &mut watch::Receiver<Weather>, born: u64) {
    if weather.wait_for(|now| now.flow == Flow::Open && now.strandings == born).await.is_err() {
        pending::<()>().await;
    }
}

/// Makes the connection end in a reset, not in an orderly close, once it is dropped.
fn reset(stream: &TcpStream) {
    // Where that cannot be had, it is closed: the peer is rid of it all the same.
    let _ = stream.set_zero_linger();
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(5);
    /// Long enough for loopback to have passed what it was going to pass.
    const A_WHILE: Duration = Duration::from_millis(150);

    /// A server that sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        addr
    }

    async fn proxied() -> (Proxy, TcpStream) {
        let proxy = Proxy::start(echo().await).expect("a free port");
        let client = TcpStream::connect(proxy.addr()).await.expect("the proxy");
        (proxy, client)
    }

    async fn says_back(client: &mut TcpStream, words: &[u8]) -> io::Result<()> {
        client.write_all(words).await?;
        hears(client, words).await
    }

    async fn hears(client: &mut TcpStream, words: &[u8]) -> io::Result<()> {
        let mut heard = vec![0; words.len()];
        timeout(SOON, client.read_exact(&mut heard)).await.expect("an answer within 5 s")?;
        assert_eq!(heard, words);
        Ok(())
    }

    #[tokio::test]
    async fn it_passes_both_ways_and_the_end_too() {
        let (_proxy, mut client) = proxied().await;
        let much = vec![7; 5 * CHUNK + 1];
        let (mut from, mut to) = client.split();
        let mut heard = Vec::new();
        let speak = async {
            to.write_all(&much).await.expect("a proxy that reads");
            to.shutdown().await.expect("a proxy that is there");
        };
        let (_, read) = tokio::join!(speak, timeout(SOON, from.read_to_end(&mut heard)));
        read.expect("the end within 5 s").expect("an orderly end");
        assert_eq!(heard, much);
    }

    #[tokio::test]
    async fn what_is_stranded_stays_so_and_what_comes_after_passes() {
        let (proxy, mut stranded) = proxied().await;
        says_back(&mut stranded, b"one").await.expect("an open proxy");
        proxy.strand();
        proxy.heal();
        stranded.write_all(b"two").await.expect("it is kept open");
        let mut fresh = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
        says_back(&mut fresh, b"three").await.expect("a new connection passes");
        assert!(timeout(A_WHILE, stranded.read_u8()).await.is_err(), "no byte passes");
    }

    #[tokio::test]
    async fn a_cut_resets_what_there_is_and_what_comes_until_it_heals() {
        let (proxy, mut client) = proxied().await;
        says_back(&mut client, b"one").await.expect("an open proxy");
        proxy.cut();
        let error = timeout(SOON, client.read_u8()).await.expect("an end within 5 s").expect_err("a reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let mut refused = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
        assert!(says_back(&mut refused, b"two").await.is_err());
        proxy.heal();
        let mut healed = TcpStream::connect(proxy.addr()).await.expect("the listener stays");
        says_back(&mut healed, b"three").await.expect("a healed proxy");
    }

    #[tokio::test]
    async fn a_cut_that_heals_at_once_still_ends_every_connection() {
        let (proxy, mut client) = proxied().await;
        says_back(&mut client, b"one").await.expect("an open proxy");
        proxy.cut();
        proxy.heal();
        assert!(timeout(SOON, client.read_u8()).await.expect("an end within 5 s").is_err());
    }

    #[tokio::test]
    async fn frozen_it_keeps_connections_and_takes_new_ones_and_passes_nothing() {
        let (proxy, mut client) = proxied().await;
        says_back(&mut client, b"one").await.expect("an open proxy");
        proxy.freeze();
        let mut late = TcpStream::connect(proxy.addr()).await.expect("new ones are taken");
        for client in [&mut client, &mut late] {
            client.write_all(b"two").await.expect("the system takes it");
            assert!(timeout(A_WHILE, client.read_u8()).await.is_err(), "something came through");
        }
        proxy.heal();
        hears(&mut client, b"two").await.expect("what was held back");
        hears(&mut late, b"two").await.expect("what was held back");
    }

    #[tokio::test]
    async fn a_delay_holds_each_chunk_back_both_ways() {
        let (proxy, mut client) = proxied().await;
        proxy.delay(A_WHILE);
        let begun = std::time::Instant::now();
        says_back(&mut client, b"slow").await.expect("an open proxy");
        assert!(begun.elapsed() >= 2 * A_WHILE, "{:?}", begun.elapsed());
        proxy.delay(Duration::ZERO);
        let begun = std::time::Instant::now();
        says_back(&mut client, b"quick").await.expect("an open proxy");
        assert!(begun.elapsed() < 2 * A_WHILE, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn it_ends_with_its_handle() {
        let (proxy, mut client) = proxied().await;
        says_back(&mut client, b"one").await.expect("an open proxy");
        let addr = proxy.addr();
        drop(proxy);
        let gone = async {
            assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
            while TcpStream::connect(addr).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, gone).await.expect("it is gone within 5 s");
    }

    #[tokio::test]
    async fn a_target_that_is_not_there_resets_the_client() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let nowhere = listener.local_addr().expect("its address");
        drop(listener);
        let proxy = Proxy::start(nowhere).expect("a free port");
        let mut client = TcpStream::connect(proxy.addr()).await.expect("the proxy");
        assert!(timeout(SOON, client.read_u8()).await.expect("an end within 5 s").is_err());
    }
}
