//! What one would write without Sluice, in its simplest form that loses nothing. Each peer is a program of its own, as
//! Sluice's are, so that both have to share the machine with the servers and the load in the same way.

mod consume;
mod direct;

use clap::{Args, Subcommand};
use sluice_runtime::exit::Exit;

/// Arguments of a peer.
#[derive(Debug, Args)]
pub struct PeerArgs {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, Subcommand)]
enum Peer {
    /// Consume posts: insert each into the database, then acknowledge it
    Consume(consume::ConsumeArgs),
    /// Accept posts over HTTP: insert each into the database, then answer
    Direct(direct::DirectArgs),
}

pub(super) async fn run(args: PeerArgs) -> anyhow::Result<Exit> {
    let stop = sluice_runtime::shutdown::on_interrupt()?;
    let peer = async {
        match args.peer {
            Peer::Consume(args) => consume::run(args).await,
            Peer::Direct(args) => direct::run(args).await,
        }
    };
    tokio::select! {
        done = peer => done.map(|()| Exit::Done),
        () = stop.cancelled() => Ok(Exit::Done),
    }
}
