//! How a server is run, the same at each start.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::StackError;
use super::ports;
use super::readiness::Greeting;

/// What RabbitMQ, the system, and MariaDB and MySQL write when a port is taken.
const TAKEN: [&str; 3] = ["eaddrinuse", "Address already in use", "port already in use"];

/// The command line, the environment and the ports of a server.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) envs: Vec<(&'static str, OsString)>,
    /// The port that answers with the greeting when the server is ready.
    pub(super) port: u16,
    /// The other ports that it listens on.
    pub(super) other_ports: Vec<u16>,
    pub(super) greeting: Greeting,
}

impl Recipe {
    /// One of its ports that is taken.
    pub(super) fn taken_port(&self) -> Option<u16> {
        self.other_ports.iter().copied().chain([self.port]).find(|port| !ports::is_free(*port))
    }

    /// Why it ended while starting, with the end of its log: most often because another stack was quicker to take a
    /// port.
    pub(super) fn died(&self, log: PathBuf, tail: String) -> StackError {
        let Self { name: server, port, .. } = *self;
        match self.taken_port() {
            Some(port) => StackError::PortTaken { server, port },
            None if TAKEN.iter().any(|words| tail.contains(words)) => StackError::PortTaken { server, port },
            None => StackError::Died { server, log, tail },
        }
    }
}
