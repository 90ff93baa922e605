//! One connection of the port: let in if there is room, served within limits of time, and counted.

use std::io::{self, Write as _};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::Problem;
use super::crowd::{Answering, Crowd, Late, Visit};
use super::seldom::Seldom;
use super::timed::{HEAD, Timed, WRITE};

/// The longest silence of a connection that is kept alive for its next request. Longer than the 60 s for which common
/// reverse proxies keep theirs, so that it is the proxy that closes first and no request meets a closing connection.
const IDLE: Duration = Duration::from_secs(75);
/// How much of a connection is read or written at once, in bytes; no request's head is longer.
const BUFFER: usize = 16 * 1024;

const OPEN: &str = "sluice_http_connections";
const CLOSED: &str = "sluice_http_connections_closed_total";

/// What all connections of a port share.
pub(super) struct Server {
    crowd: Arc<Crowd>,
    http: http1::Builder,
    service: TowerToHyperService<Router>,
    stop: CancellationToken,
    log: Arc<Log>,
}

/// The log lines that clients can cause.
#[derive(Default)]
struct Log {
    cannot_accept: Seldom,
    no_room: Seldom,
    silent: Seldom,
    no_request: Seldom,
    unread: Seldom,
}

impl Server {
    /// Serves these routes on at most so many connections, each until its end or, once `stop` is cancelled, until its
    /// request has been answered.
    pub(super) fn new(routes: Router, most: usize, stop: CancellationToken) -> Self {
        metrics::describe_gauge!(OPEN, "Connections that are open");
        metrics::describe_counter!(CLOSED, "Connections that the program closed, by reason");
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(IDLE).half_close(true).max_buf_size(BUFFER);
        Self { crowd: Crowd::new(most), http, service: TowerToHyperService::new(routes), stop, log: Arc::default() }
    }

    /// The listener gave an error instead of a connection.
    pub(super) fn cannot_accept(&self, error: io::Error) {
        let told = move |times| tracing::error!(%error, times, "cannot accept a connection");
        self.log.cannot_accept.happened(told);
    }

    /// Closes all connections on which no request is being answered.
    pub(super) fn hang_up_on_the_silent(&self) {
        self.crowd.clear();
    }

    /// Serves a new connection. `None` when there is no room for it; the client gets a 503.
    pub(super) fn admit(&self, stream: TcpStream) -> Option<impl Future<Output = ()> + use<>> {
        let Some((visit, evicted)) = self.crowd.enter() else {
            metrics::counter!(CLOSED, "reason" => "no_room").increment(1);
            self.log.no_room.happened(|times| {
                tracing::warn!(
                    times,
                    "connections were refused: the connection limit is reached, and every connection \
                                       is busy"
                );
            });
            // Into the empty buffer of a new socket, or not at all. The runtime does not know yet that it can be
            // written to, so it is not asked.
            let _ = stream.into_std().and_then(|mut stream| stream.write_all(&no_room()));
            return None;
        };
        if evicted {
            metrics::counter!(CLOSED, "reason" => "silent").increment(1);
            self.log.silent.happened(|times| {
                tracing::warn!(
                    times,
                    "the connection limit is reached; the longest idle connections were closed for new ones"
                );
            });
        }
        // An answer is one small packet: holding it back for more to come only costs time.
        let _ = stream.set_nodelay(true);
        Some(self.serve(stream, visit))
    }

    fn serve(&self, stream: TcpStream, visit: Arc<Visit>) -> impl Future<Output = ()> + use<> {
        let (routes, served) = (self.service.clone(), Arc::clone(&visit));
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = served.request();
            let answer = routes.call(request.map(Body::new));
            async move { answer.await.map(|answer| answer.map(|body| Answer { body, _until_its_end: answering })) }
        });
        let connection = self.http.serve_connection(TokioIo::new(Timed::new(stream, Arc::clone(&visit))), service);
        let (stop, log) = (self.stop.clone(), Arc::clone(&self.log));
        async move {
            let open = metrics::gauge!(OPEN);
            open.increment(1.0);
            let mut connection = pin!(connection);
            let (mut evicted, mut stopping) = (false, false);
            loop {
                tokio::select! {
                    _ = connection.as_mut() => break,
                    () = visit.evicted().cancelled(), if !evicted => {
                        if !visit.busy() {
                            break;
                        }
                        // A request that arrives at that moment is still answered.
                        evicted = true;
                        connection.as_mut().graceful_shutdown();
                    }
                    () = stop.cancelled(), if !stopping => {
                        stopping = true;
                        connection.as_mut().graceful_shutdown();
                    }
                }
            }
            open.decrement(1.0);
            log.late(&visit);
        }
    }
}

/// The whole answer to a connection that there is no room for.
fn no_room() -> Vec<u8> {
    let problem = Problem::overloaded("the connection limit is reached, and every connection is busy");
    let body = serde_json::to_string(&problem).unwrap_or_default();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl Log {
    /// Logs why a connection was closed, if it was.
    fn late(&self, visit: &Visit) {
        let Some(late) = visit.late() else { return };
        let reason = match late {
            Late::Request => "no_request",
            Late::Reading => "answer_unread",
        };
        metrics::counter!(CLOSED, "reason" => reason).increment(1);
        match late {
            Late::Request => self.no_request.happened(|times| {
                tracing::warn!(times, within = ?HEAD, "closed connections that sent no complete request");
            }),
            Late::Reading => self.unread.happened(|times| {
                tracing::warn!(times, within = ?WRITE, "closed connections of clients that did not read their \
                                                        responses");
            }),
        }
    }
}

/// An answer, until whose end its connection is not silent.
struct Answer {
    body: Body,
    _until_its_end: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
