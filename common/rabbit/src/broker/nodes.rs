//! The nodes of a broker, and which of them is tried next. A name with several addresses counts as several nodes.
//!
//! Each program begins with another one, so that they spread over a cluster, and every try moves on to the next: neither
//! a node that is gone nor one that accepts connections and never answers is tried twice in a row.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_core::failure::{Failure, Kind};

use super::CONNECT_TIMEOUT;

/// How long a node may take to answer if there are others to be tried. Doubled each time that none of them answered, as
/// they may all be slow.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);

/// A node as it is written in the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// A name or an address, without brackets; also what its certificate has to name.
    pub(super) name: String,
    pub(super) port: u16,
}

/// All nodes.
#[derive(Debug)]
pub(super) struct Nodes {
    hosts: Vec<Host>,
    /// What they resolved to when last asked.
    found: Mutex<Vec<(SocketAddr, String)>>,
    turn: AtomicUsize,
    /// How often in a row none of them answered.
    silent: AtomicU32,
}

impl Nodes {
    pub(super) fn new(hosts: Vec<Host>) -> Self {
        let turn = AtomicUsize::new(fastrand::usize(..hosts.len().max(1)));
        Self { hosts, found: Mutex::default(), turn, silent: AtomicU32::new(0) }
    }

    #[cfg(test)]
    pub(super) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The next address, and the name in its certificate.
    pub(super) async fn next(&self) -> io::Result<(SocketAddr, String)> {
        if self.count() == 0 {
            self.resolve().await?;
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % found.len().max(1);
        found.get(turn).cloned().ok_or_else(|| io::Error::other("its name has no address"))
    }

    /// A round of tries: one node after the other until one answers, each at most once.
    ///
    /// # Errors
    /// When no name has an address.
    pub(super) async fn round(&self) -> Result<Round<'_>, Failure> {
        // A name that is not found now may have been, and a name may have moved.
        if let Err(error) = self.resolve().await
            && self.count() == 0
        {
            return Err(Failure::new(Kind::Dependency, "amqp_unreachable", error.to_string()));
        }
        let (left, silent) = (self.count(), self.silent.load(Ordering::Relaxed));
        let limit = match left {
            0 | 1 => CONNECT_TIMEOUT,
            _ => CONNECT_TIMEOUT.min(NODE_TIMEOUT * 2u32.saturating_pow(silent.min(4))),
        };
        Ok(Round { nodes: self, left, limit, worst: None })
    }

    fn count(&self) -> usize {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Looks the names up. What is not found is left out, unless nothing is.
    async fn resolve(&self) -> io::Result<()> {
        let (mut found, mut failed) = (Vec::new(), None);
        for Host { name, port } in &self.hosts {
            match tokio::time::timeout(NODE_TIMEOUT, tokio::net::lookup_host((name.as_str(), *port))).await {
                Ok(Ok(addresses)) => found.extend(addresses.map(|address| (address, name.clone()))),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(io::Error::new(io::ErrorKind::TimedOut, "its name was not looked up in time")),
            }
        }
        match failed {
            Some(error) if found.is_empty() => Err(error),
            _ => {
                *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
                Ok(())
            }
        }
    }
}

/// One round of tries.
#[derive(Debug)]
pub(super) struct Round<'a> {
    nodes: &'a Nodes,
    left: usize,
    /// How long each node may take.
    pub(super) limit: Duration,
    worst: Option<Failure>,
}

impl Round<'_> {
    /// A node answered.
    pub(super) fn answered(self) {
        self.nodes.silent.store(0, Ordering::Relaxed);
    }

    /// A node did not, for this reason. If there is another to be tried, `None`; else the reason of the round: what an
    /// operator has to fix, or the last.
    pub(super) fn failed(&mut self, failure: Failure) -> Option<Failure> {
        if self.worst.as_ref().is_none_or(|worst| worst.kind != Kind::Operator) {
            self.worst = Some(failure);
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        self.nodes.silent.fetch_add(1, Ordering::Relaxed);
        self.worst.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(ports: &[u16]) -> Nodes {
        Nodes::new(ports.iter().map(|port| Host { name: "127.0.0.1".to_owned(), port: *port }).collect())
    }

    async fn tried(nodes: &Nodes, answers: impl Fn(u16) -> Result<(), Failure>) -> (Vec<u16>, Result<u16, Failure>) {
        let mut order = Vec::new();
        let mut round = nodes.round().await.expect("addresses are their own names");
        loop {
            let port = nodes.next().await.expect("an address").0.port();
            order.push(port);
            match answers(port) {
                Ok(()) => {
                    round.answered();
                    return (order, Ok(port));
                }
                Err(failure) => {
                    if let Some(failure) = round.failed(failure) {
                        return (order, Err(failure));
                    }
                }
            }
        }
    }

    fn gone(_: u16) -> Result<(), Failure> {
        Err(Failure::new(Kind::Dependency, "gone", "gone"))
    }

    #[tokio::test]
    async fn each_is_tried_once_and_the_next_time_begins_with_another() {
        let nodes = nodes(&[1, 2, 3]);
        let (mut all, answer) = tried(&nodes, gone).await;
        assert_eq!(answer.map_err(|failure| failure.code), Err("gone".into()));
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
        let (first, _) = tried(&nodes, |_| Ok(())).await;
        let (second, _) = tried(&nodes, |_| Ok(())).await;
        assert!(first.len() == 1 && second.len() == 1 && first != second, "{first:?} {second:?}");
    }

    #[tokio::test]
    async fn programs_begin_with_different_nodes() {
        let mut begun = std::collections::BTreeSet::new();
        for _ in 0..64 {
            begun.extend(tried(&nodes(&[1, 2, 3]), |_| Ok(())).await.0);
        }
        assert_eq!(begun.len(), 3);
    }

    #[tokio::test]
    async fn what_an_operator_has_to_fix_is_told_rather_than_that_others_are_gone() {
        let nodes = nodes(&[1, 2, 3]);
        for _ in 0..3 {
            let refuses =
                |port| if port == 2 { Err(Failure::new(Kind::Operator, "amqp_403", "no")) } else { gone(port) };
            assert_eq!(tried(&nodes, refuses).await.1.map_err(|failure| failure.code), Err("amqp_403".into()));
        }
    }

    #[tokio::test]
    async fn nodes_that_are_all_slow_are_given_more_time_each_round() {
        let nodes = nodes(&[1, 2]);
        let mut limits = Vec::new();
        for _ in 0..5 {
            limits.push(nodes.round().await.expect("two addresses").limit.as_secs());
            let _ = tried(&nodes, gone).await;
        }
        assert_eq!(limits, [1, 2, 4, 5, 5]);
    }
}
