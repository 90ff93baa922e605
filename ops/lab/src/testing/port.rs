//! A port that is kept for a program which is started later, or again.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 that the system gives to nobody else while this lives. It is bound and does not listen: clients are
/// refused until a program listens there, which may, any number of times.
#[derive(Debug)]
pub struct Port {
    addr: SocketAddr,
    _bound: TcpSocket,
}

impl Port {
    /// Takes one.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn hold() -> Self {
        let bound = TcpSocket::new_v4().expect("a socket");
        // As every listener of ours has it: only so may it have the same port.
        bound.set_reuseaddr(true).expect("it is not bound yet");
        bound.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        Self { addr: bound.local_addr().expect("it is bound"), _bound: bound }
    }

    /// Where a program is to listen.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
