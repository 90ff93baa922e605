//! The port: opened at start, with a helpful error if that fails, and closed in an orderly way.

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Server;

/// How long the connections that have sent only a part of a request's head may take after the signal to stop.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The wait after the listener could not take a connection.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Reads where to listen: `127.0.0.1:8081`, `[::1]:8081`, `localhost:8081`. Port 0 takes any free one.
///
/// # Errors
/// What form is taken.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || "a host and a port, like 127.0.0.1:8081 (0.0.0.0 listens on every network)".to_owned();
    text.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(wrong)
}

/// Takes a port. `settings` names how another one is chosen, for the error.
///
/// # Errors
/// When the port is in use or not permitted; says which, and what to do.
pub async fn bind(address: SocketAddr, settings: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let cause = match error.kind() {
            ErrorKind::AddrInUse => format!("another program uses port {port}; stop it, or choose another port"),
            ErrorKind::PermissionDenied => format!("port {port} is reserved for root; choose 1024 or higher"),
            _ => format!("{error}; choose another address"),
        };
        anyhow::anyhow!("cannot listen on {address}: {cause} with {settings}")
    })
}

/// Serves until `stop`; then accepts no new connections and gives the requests in progress so long to finish. At most
/// `most` connections are open; to make room for a new one, the longest idle one is closed.
///
/// The connection of a client that does not send a request in time, or does not read its response, is closed. A client
/// that has sent everything and closed the sending half of the connection still gets the response.
pub async fn serve(listener: TcpListener, routes: Router, most: usize, stop: CancellationToken, grace: Duration) {
    let (server, connections) = (Server::new(routes, most, stop.clone()), TaskTracker::new());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                if let Some(connection) = server.admit(stream) {
                    connections.spawn(connection);
                }
            }
            // The client has already disconnected.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                server.cannot_accept(error);
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let finished = async {
        if tokio::time::timeout(LAST_WORDS, connections.wait()).await.is_err() {
            server.hang_up_on_the_silent();
            connections.wait().await;
        }
    };
    if tokio::time::timeout(grace, finished).await.is_err() && !connections.is_empty() {
        tracing::warn!(?grace, "requests were still in progress at the end; they got no response");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen_is_read_in_all_its_forms() {
        for good in ["127.0.0.1:8081", "[::1]:8081", "0.0.0.0:0", "localhost:8081"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for wrong in ["", "8081", ":8081", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_refused_by_its_number_and_with_the_fix() {
        let first = bind(address("127.0.0.1:0").expect("an address"), "--listen").await.expect("a free port");
        let taken = first.local_addr().expect("it listens");
        let error = format!("{:#}", bind(taken, "--listen or SLUICE_LISTEN").await.expect_err("it is taken"));
        assert!(error.contains(&taken.to_string()) && error.contains("SLUICE_LISTEN"), "{error}");
    }
}
