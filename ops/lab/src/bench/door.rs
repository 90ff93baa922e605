//! Front doors: ours and those that one would write without us, each a running program with an address.

use anyhow::ensure;
use sluice_rabbit::topology::ROUTING_KEY;

use super::place::Place;
use super::stage::{Stage, listens};
use crate::program::{self, Program};

/// Which HTTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `sluice-producer serve`.
    Sluice,
    /// gin, each answer after the broker's confirm.
    Gin,
    /// gin, answered without a confirm: what the broker loses is lost.
    GinUnconfirmed,
    /// Straight into MySQL.
    Direct,
    /// gin, straight into MySQL.
    GinDirect,
}

impl Kind {
    pub(super) fn who(self) -> &'static str {
        match self {
            Self::Sluice => super::figures::SLUICE,
            Self::Gin => "gin, confirmed",
            Self::GinUnconfirmed => "gin, unconfirmed",
            Self::Direct => "direct insert",
            Self::GinDirect => "gin, direct insert",
        }
    }

    /// Whether it needs the peer in Go.
    pub(super) fn is_in_go(self) -> bool {
        match self {
            Self::Gin | Self::GinUnconfirmed | Self::GinDirect => true,
            Self::Sluice | Self::Direct => false,
        }
    }
}

/// A running HTTP server.
pub(super) struct Door {
    pub(super) address: String,
    pub(super) program: Program,
}

impl Door {
    /// Opens one, and waits until it takes connections.
    pub(super) async fn open(stage: &Stage, place: &Place, kind: Kind) -> anyhow::Result<Self> {
        let address = program::free_address()?;
        let exchange = place.topology.exchange();
        let (listen, gin) = (["--listen", address.as_str()], ["--exchange", &exchange]);
        let gin = [&["door"], &listen[..], &gin, &["--routing-key", ROUTING_KEY]].concat();
        let mut program = match kind {
            Kind::Sluice => stage.start(place, "sluice-producer", &[&["serve"], &listen[..]].concat())?,
            Kind::Gin => stage.start_go_peer(&gin)?,
            Kind::GinUnconfirmed => stage.start_go_peer(&[&gin[..], &["--confirms=false"]].concat())?,
            Kind::Direct => stage.start_peer(&[&["direct"], &listen[..]].concat())?,
            Kind::GinDirect => stage.start_go_peer(&[&["direct"], &listen[..]].concat())?,
        };
        listens(&mut program, &address).await?;
        Ok(Self { address, program })
    }

    /// Closes it, after it has answered what it has begun.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.program.check()?;
        ensure!(self.program.pid().is_some(), "{} has ended by itself", self.address);
        self.program.end().await
    }
}
