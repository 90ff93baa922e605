//! Ports that are free, and stay so while a server is down for a while.
//!
//! A port that the system hands out (by binding to port 0) comes from the range that outgoing connections use too. A
//! client that keeps knocking at such a port while its server is down may be given that very port as its own end: it
//! then talks to itself, and the server can never come back. So ports are drawn from below that range and tried by
//! binding; only where there is no room below, the system chooses.
//!
//! While its server is down a port is free to all who try it. So whoever draws one shows it to other processes: another
//! stack's server that had taken it would keep ours from ever coming back.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{Mutex, PoisonError};

use super::error::StackError;

/// Where drawing begins: below it live the well-known servers.
const LOWEST: u16 = 20_000;
/// With fewer ports than this to draw from, the system chooses.
const ROOM: u16 = 1_000;
/// Where outgoing connections take their ports from, when the system does not say.
const USUAL_EPHEMERAL: u16 = 32_768;
/// How many ports are tried before giving up.
const TRIES: usize = 200;

/// For each port that was drawn a socket with a name of its own, which is no file: nobody else can have it until this
/// process ends.
static DRAWN: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// `N` different ports of 127.0.0.1 that nobody listens on at this moment.
pub(super) fn draw<const N: usize>() -> Result<[u16; N], StackError> {
    let range = range(ephemeral_begins());
    // The listeners are held until all ports are drawn, so that no port is drawn twice.
    let mut held = Vec::with_capacity(N);
    for _ in 0..N {
        held.push(draw_one(range.as_ref()).map_err(StackError::NoPort)?);
    }
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr().map_err(StackError::NoPort)?.port();
    }
    Ok(ports)
}

/// Whether a server could listen on this port of 127.0.0.1 now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn draw_one(range: Option<&Range<u16>>) -> io::Result<TcpListener> {
    let mut refused = io::Error::other("nothing was tried");
    for _ in 0..TRIES {
        let port = range.map_or(0, |range| fastrand::u16(range.clone()));
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(claimed) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The listener, if no process has drawn its port before, this one included.
fn claimed(listener: TcpListener) -> io::Result<TcpListener> {
    let name = format!("sluice-stack-port-{}", listener.local_addr()?.port());
    let held = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner).push(held);
    Ok(listener)
}

/// The ports to draw from, given where those of outgoing connections begin.
fn range(ephemeral: u16) -> Option<Range<u16>> {
    let range = LOWEST..ephemeral;
    (range.len() >= usize::from(ROOM)).then_some(range)
}

fn ephemeral_begins() -> u16 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .unwrap_or(USUAL_EPHEMERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_ports_are_all_different() {
        let mut ports: [u16; 40] = draw().expect("forty ports on a machine with thousands");
        ports.sort_unstable();
        assert!(ports.windows(2).all(|pair| pair[0] < pair[1]), "{ports:?}");
    }

    #[test]
    fn a_port_that_was_drawn_is_not_drawn_again_though_nobody_listens_there() {
        let [port] = draw().expect("a port");
        assert!(draw_one(Some(&(port..port + 1))).is_err());
    }

    #[test]
    fn a_port_with_a_listener_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        assert!(!is_free(listener.local_addr().expect("its address").port()));
    }

    #[test]
    fn ports_lie_below_those_of_outgoing_connections() {
        assert_eq!(range(32_768), Some(20_000..32_768));
        assert_eq!(range(1_024), None);
        assert!(draw_one(None).is_ok());
    }
}
