//! What production does not need: private servers, the demonstration, the measurements, and what tests share.
//!
//! ```text
//!  devstack ◄─ stack    a RabbitMQ and a MariaDB or MySQL of one's own, in a folder; for tests, clusters of them too
//!           ◄─ demo     the whole of Sluice in a minute
//!           ◄─ bench    how fast it is, beside what the servers can do and what one would write without it
//!           ◄─ testing  prefixes and databases of one's own, programs that are ended in order, broken networks
//! ```

pub mod bench;
pub mod cli;
pub mod demo;
pub mod devstack;
pub mod program;
pub mod stack;
pub mod testing;

use cli::{Cli, Command};
use sluice_runtime::exit::Exit;
use sluice_runtime::{output, telemetry};

/// Runs the command that was asked for.
///
/// # Errors
/// Why it could not be done.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    telemetry::init(cli.log.log_format)?;
    let done = match cli.command {
        Command::Stack(args) => stack::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::BenchPeer(args) => bench::run_peer(args).await,
    };
    match done {
        // The reader of our output has closed the pipe: `sluice-lab bench | head`.
        Err(error) if output::is_broken_pipe(&error) => Ok(Exit::Done),
        done => done,
    }
}
