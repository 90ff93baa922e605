//! A connection with time limits for the client: to send a request's head, and to read a response.
//!
//! How long a body may take is for its reader to say, which may itself be what keeps a body waiting.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::crowd::{Late, Visit};

/// The longest wait for a whole head: from its first byte, and of a new connection from the beginning.
pub(super) const HEAD: Duration = Duration::from_secs(10);
/// The longest wait for a client that does not read its answer.
pub(super) const WRITE: Duration = Duration::from_secs(30);
/// How fast an answer has to be read all the same, in bytes a second.
const WRITE_RATE: f64 = 1024.0;

/// The connection.
pub(super) struct Timed {
    stream: TcpStream,
    visit: Arc<Visit>,
    /// Until when the head has to be there, and how many requests there were before it.
    head: Option<(Instant, u64)>,
    /// Until when more of the answer has to be read.
    write: Option<Instant>,
    head_timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// A new connection.
    pub(super) fn new(stream: TcpStream, visit: Arc<Visit>) -> Self {
        let head = Some((Instant::now() + HEAD, 0));
        Self { stream, visit, head, write: None, head_timer: None, write_timer: None }
    }

    /// What becomes of a write: one that waits is given up when too little was read for too long.
    fn written(&mut self, polled: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(written)) => {
                if let Some(deadline) = &mut self.write {
                    *deadline += Duration::from_secs_f64(written as f64 / WRITE_RATE);
                    if *deadline > Instant::now() + WRITE {
                        (self.write, self.write_timer) = (None, None);
                    }
                }
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let deadline = *self.write.get_or_insert_with(|| Instant::now() + WRITE);
                ready!(reached(&mut self.write_timer, deadline, cx));
                self.visit.is_late(Late::Reading);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

/// Ready when it is so late.
fn reached(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
    if timer.deadline() != deadline {
        timer.as_mut().reset(deadline);
    }
    timer.as_mut().poll(cx)
}

impl AsyncRead for Timed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let requests = this.visit.requests();
        if this.visit.busy() || this.head.is_some_and(|(_, made)| made != requests) {
            (this.head, this.head_timer) = (None, None);
        }
        if this.visit.busy() {
            return polled;
        }
        match polled {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => {
                this.head.get_or_insert_with(|| (Instant::now() + HEAD, requests));
            }
            Poll::Pending => {
                let Some((deadline, _)) = this.head else { return Poll::Pending };
                ready!(reached(&mut this.head_timer, deadline, cx));
                this.visit.is_late(Late::Request);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(_) => {}
        }
        polled
    }
}

impl AsyncWrite for Timed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(polled, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.written(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
