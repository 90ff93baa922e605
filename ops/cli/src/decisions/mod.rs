//! `sluice decisions`: how decisions reach the forum.
//!
//! ```text
//!  follow                    the feed, one event a line
//!  endpoints                 where the events are sent, and how far each endpoint has come
//!  resend, pause, resume     one endpoint; `sluice console` does the sending
//! ```

mod endpoint;
mod endpoints;
mod follow;
mod resend;
mod switch;

use clap::{Args, Subcommand};
use sluice_runtime::exit::Exit;

/// Arguments of `sluice decisions`.
#[derive(Debug, Args)]
pub struct DecisionsArgs {
    #[command(subcommand)]
    command: DecisionsCommand,
}

#[derive(Debug, Subcommand)]
enum DecisionsCommand {
    /// Print the events of the feed, in order, and wait for more until Ctrl-C
    ///
    /// The feed has what people decided and which posts were held, never a post's text. Each event comes at least once,
    /// those of one post in the order of their revisions: apply an event only if its revision is higher than the one
    /// that you have.
    Follow(follow::FollowArgs),
    /// List the endpoints that decisions are sent to, and how far each has come (read only)
    Endpoints(endpoints::EndpointsArgs),
    /// Send an endpoint all events after a place of the feed once more
    Resend(resend::ResendArgs),
    /// Send nothing to an endpoint until it is resumed
    Pause(switch::SwitchArgs),
    /// Send to an endpoint that was paused again
    Resume(switch::SwitchArgs),
}

/// Runs it.
///
/// # Errors
/// Why it could not be done.
pub async fn run(args: DecisionsArgs) -> anyhow::Result<Exit> {
    match args.command {
        DecisionsCommand::Follow(args) => follow::run(args).await,
        DecisionsCommand::Endpoints(args) => endpoints::run(args).await,
        DecisionsCommand::Resend(args) => resend::run(args).await,
        DecisionsCommand::Pause(args) => switch::run(args, true).await,
        DecisionsCommand::Resume(args) => switch::run(args, false).await,
    }
}
