//! The operator's tool: what is in the queues, what failed and why, and how to fix it.
//!
//! ```text
//!  topology, migrate    create what the other programs need, or list the differences
//!  grants               what each user needs on the servers
//!  status               counts and rates
//!  dlq                  dead letters: browsed, replayed, dropped; each operation is recorded first
//!  replays              the outcomes of the dead letters of each replay
//!  verify               every accepted id accounted for
//!  rules                the rules of the review, tried by hand
//!  console              the pages, the API for forums and other tools, and the sender of decisions
//!  why                  one post's history, from all sources
//!  review               people decide about held posts
//!  decisions            how their decisions reach the forum
//!  prune                old posts, deleted while workers go on
//!  probe                a health page, asked from inside a container
//! ```
//!
//! Nothing here acknowledges a message or contains SQL or a queue's name: only the packages in `common` do.

mod actor;
mod ask;
mod beginning;
mod browse;
pub mod cli;
mod columns;
pub mod console;
pub mod decisions;
pub mod depths;
pub mod dlq;
mod grants;
pub mod hint;
mod members;
pub mod migrate;
pub mod numbers;
pub mod operation;
mod policies;
pub mod probe;
mod progress;
pub mod prune;
mod recheck;
pub mod replays;
pub mod review;
mod rows;
pub mod rules;
mod spool;
pub mod status;
pub mod times;
pub mod topology;
mod underline;
pub mod verify;
pub mod why;

use cli::{Cli, Command};
use sluice_core::visible;
use sluice_runtime::exit::Exit;
use sluice_runtime::output;

/// Runs the command that was asked for.
///
/// # Errors
/// Why it could not be done.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    if !cli.command.has_the_screen() {
        sluice_runtime::telemetry::init(cli.log.log_format)?;
    }
    let done = match cli.command {
        Command::Topology(args) => topology::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Grants(args) => grants::run(&args),
        Command::Status(args) => status::run(args).await,
        Command::Dlq(args) => dlq::run(args).await,
        Command::Replays(args) => replays::run(args).await,
        Command::Review(args) => review::run(args).await,
        Command::Decisions(args) => decisions::run(args).await,
        Command::Rules(args) => rules::run(&args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Why(args) => why::run(args).await,
        Command::Console(args) => console::run(*args).await,
        Command::Prune(args) => prune::run(args).await,
        Command::Probe(args) => probe::run(args).await,
        Command::Reference(reference) => reference.run::<Cli>(),
    };
    match done {
        // The reader of the output has closed the pipe, as in `sluice dlq list | head`.
        Err(error) if output::is_broken_pipe(&error) => Ok(Exit::Done),
        Err(error) if error.is::<browse::Interrupted>() => {
            output::say(&format!("{error}\n"));
            Ok(Exit::Interrupted)
        }
        done => done,
    }
}
