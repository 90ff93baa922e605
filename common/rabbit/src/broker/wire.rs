//! The stream between lapin and the broker: what comes is cleaned, and nobody waits for ever for a last word.
//!
//! A connection that RabbitMQ has stopped reading from (a publisher's, in the state `flow`, after the queue was deleted
//! under it) answers nothing any more, not even the end of the connection, while its heartbeats go on. lapin would wait
//! for that answer with a thread and a socket for as long as the process lives. So once the end was asked for, there is
//! a time for the answer; after that the stream itself ends, and lapin with it. The same goes for the beginning: before
//! a connection is open there are no heartbeats, and whoever wanted it may have given up long ago.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use futures_util::task::AtomicWaker;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::CONNECT_TIMEOUT;
use super::inbound::Inbound;
use super::outbound::Outbound;
use super::valve::Valve;
use sluice_core::foreign::protocol;

/// How long the broker has to answer the end of a connection.
pub(super) const LAST_WORD: Duration = Duration::from_secs(5);

/// How long a connection may take to be open. Who asked for it has given up by then.
const HANDSHAKE: Duration = CONNECT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// A stream to the broker that lapin can read.
#[derive(Debug)]
pub(super) struct Wire<S> {
    inner: S,
    inbound: Inbound,
    outbound: Outbound,
    runtime: Handle,
    patience: Arc<Patience>,
    valve: Option<Arc<Valve>>,
    /// Runs until the connection is open.
    handshake: Option<AbortOnDropHandle<()>>,
    /// Runs from the moment the end was asked for.
    farewell: Option<AbortOnDropHandle<()>>,
}

/// Whether the time for the broker's word is over, and who has to hear of it.
#[derive(Debug, Default)]
struct Patience {
    over: AtomicBool,
    waiting: AtomicWaker,
}

impl Patience {
    /// Ends it after so long. The timer is a task and not polled from the stream: lapin polls from a thread of its own,
    /// where a timer panics once the runtime has ended.
    fn ending(self: &Arc<Self>, after: Duration, runtime: &Handle) -> AbortOnDropHandle<()> {
        let patience = Arc::clone(self);
        AbortOnDropHandle::new(runtime.spawn(async move {
            tokio::time::sleep(after).await;
            patience.over.store(true, Ordering::Release);
            patience.waiting.wake();
        }))
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether it is over; if not, the caller is woken when it is.
    fn ends(&self, cx: &Context<'_>) -> bool {
        self.waiting.register(cx.waker());
        self.is_over()
    }
}

impl<S> Wire<S> {
    /// A wire over this stream, whose timer runs on this runtime. A valve bounds what is read ahead.
    pub(super) fn new(inner: S, runtime: Handle, valve: Option<Arc<Valve>>) -> Self {
        let (inbound, outbound, patience) = (Inbound::default(), Outbound::default(), Arc::<Patience>::default());
        let handshake = Some(patience.ending(HANDSHAKE, &runtime));
        Self { inner, inbound, outbound, runtime, patience, valve, handshake, farewell: None }
    }

    /// From now on the broker has [`LAST_WORD`] to end the connection.
    fn say_farewell(&mut self) {
        self.farewell.get_or_insert_with(|| self.patience.ending(LAST_WORD, &self.runtime));
    }

    fn wrote(&mut self, bytes: &[u8]) {
        if self.outbound.wrote(bytes) {
            self.say_farewell();
        }
    }
}

/// What is said of a server that speaks something else than AMQP. One that speaks another version of it is the
/// library's business.
fn foreign(first: &[u8]) -> Option<io::Error> {
    if first.starts_with(b"AMQP") {
        return None;
    }
    let speaks =
        protocol(first).map_or("a protocol other than AMQP".to_owned(), |speaks| format!("{speaks}, not AMQP"));
    Some(io::Error::new(io::ErrorKind::Unsupported, format!("the server there speaks {speaks}")))
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads as far as the valve lets it.
    fn poll_let(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.valve.as_ref().is_some_and(|valve| !valve.lets(cx)) {
            return Poll::Pending;
        }
        let read = self.poll_clean(cx, buffer);
        if let (Some(valve), Poll::Ready(Ok(bytes))) = (&self.valve, &read) {
            valve.came(*bytes);
        }
        read
    }

    /// Reads and cleans; the caller's buffer is not empty.
    fn poll_clean(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let given = self.inbound.give(buffer);
            if given > 0 {
                return Poll::Ready(Ok(given));
            }
            let room = self.inbound.room();
            if room.is_empty() {
                let read = std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
                let passed = self.inbound.pass(&mut buffer[..read]);
                if passed > 0 || read == 0 {
                    return Poll::Ready(Ok(passed));
                }
            } else {
                let read = std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, room))?;
                self.inbound.came(read);
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !this.patience.is_over() {
            let read = this.poll_let(cx, buffer);
            if let Poll::Ready(Ok(count)) = read
                && this.inbound.is_lost()
                && !this.inbound.is_open()
                && let Some(foreign) = foreign(&buffer[..count])
            {
                return Poll::Ready(Err(foreign));
            }
            if this.inbound.is_open() {
                this.handshake = None;
            }
            if read.is_ready() || !this.patience.ends(cx) {
                return read;
            }
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the broker does not respond to the opening or closing of the connection",
        )))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = std::task::ready!(Pin::new(&mut this.inner).poll_write(cx, bytes))?;
        this.wrote(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    /// TLS says good-bye as well, which may be as much in vain.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.patience.is_over() {
            return Poll::Ready(Ok(()));
        }
        this.say_farewell();
        let closed = Pin::new(&mut this.inner).poll_close(cx);
        if closed.is_pending() && this.patience.ends(cx) { Poll::Ready(Ok(())) } else { closed }
    }
}
