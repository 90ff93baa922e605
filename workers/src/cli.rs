//! The settings of a worker: flag, else environment, else default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sluice_core::config::{BrokerArgs, ConfigError, DatabaseArgs, LogArgs, duration};
use sluice_core::retry::RetryPolicy;
use sluice_review::reviewer::ReviewerArgs;
use sluice_runtime::command_line::Reference;

use crate::authors::StrangersArgs;
use crate::copies::CopiesArgs;
use crate::gate::SchemaMode;

/// How long a delivery may stay in flight. The broker takes it back after 30 minutes (its default `consumer_timeout`),
/// and closes the channel.
const LONGEST_HOLD: Duration = Duration::from_secs(15 * 60);

/// Take posts from the queue, review them and record them in MySQL
#[derive(Debug, Parser)]
#[command(name = "sluice-worker", version, args_override_self = true)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
    /// Logging.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Consume posts until stopped
    #[command(args_override_self = true)]
    Run(Box<RunArgs>),
    /// Shell completions and manual pages.
    #[command(flatten)]
    Reference(Reference),
}

/// Arguments of `sluice-worker run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Number of worker processes
    ///
    /// With more than one, a supervisor restarts each process that dies. A single process is not supervised; leave that
    /// to your service manager.
    #[arg(long, env = "SLUICE_PROCESSES", value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub processes: u16,

    /// Consumers per process, each working on one post at a time
    #[arg(long, env = "SLUICE_CONCURRENCY", value_name = "K", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,

    /// Posts that each consumer may have in flight
    ///
    /// 1 shares the work most evenly; more catches up faster after an outage.
    #[arg(long, env = "SLUICE_PREFETCH", value_name = "P", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub prefetch: u16,

    /// Name of the worker on the rows it stores [default: host name and process id]
    ///
    /// With several processes, `-1`, `-2`, … is appended.
    #[arg(long, env = "SLUICE_WORKER_NAME", value_name = "NAME", value_parser = worker_name)]
    pub name: Option<String>,

    /// Address to serve /healthz, /readyz and /metrics on [default: off]
    ///
    /// With several processes, each one uses the next port.
    #[arg(long, env = "SLUICE_WORKER_LISTEN", value_name = "ADDRESS", value_parser = sluice_runtime::health::address)]
    pub listen: Option<SocketAddr>,

    /// Rules file (TOML) for the review [default: built-in rules]
    ///
    /// The file is reloaded when it changes and on SIGHUP.
    #[arg(long, env = "SLUICE_RULES", value_name = "FILE")]
    pub rules: Option<PathBuf>,

    /// Scorer file that `sluice rules learn` wrote [default: none]
    ///
    /// It may hold posts that the rules approve. The file is reloaded as the rules are.
    #[arg(long, env = "SLUICE_SCORER", value_name = "FILE")]
    pub scorer: Option<PathBuf>,

    /// Refuse changed rules that shift verdicts by more than this many percentage points
    ///
    /// The shift is how far the share of held or of rejected posts, among the last 500 reviewed, would go up or down.
    /// 100 refuses no change.
    #[arg(long, env = "SLUICE_RELOAD_MAX_SHIFT", value_name = "POINTS", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(0..=100))]
    pub reload_max_shift: u32,

    /// The outside reviewer.
    #[command(flatten)]
    pub reviewer: ReviewerArgs,

    /// Near copies.
    #[command(flatten)]
    pub copies: CopiesArgs,

    /// Strangers.
    #[command(flatten)]
    pub strangers: StrangersArgs,

    /// What to do with a schema that is older than this version
    #[arg(long, env = "SLUICE_MIGRATE", value_name = "MODE", default_value = "auto")]
    pub migrate: SchemaMode,

    /// Attempts at recording a post before it is dead-lettered as exhausted
    ///
    /// Only failures of this post count, while the table accepts others (a deadlock, a lock on its row).
    #[arg(long, env = "SLUICE_MAX_ATTEMPTS", value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_attempts: u32,

    /// Wait after the first failed attempt
    ///
    /// Each further wait is twice as long; half of each is random.
    #[arg(long, env = "SLUICE_RETRY_BASE", value_name = "TIME", default_value = "200ms", value_parser = duration)]
    pub retry_base: Duration,

    /// Longest wait between two attempts
    #[arg(long, env = "SLUICE_RETRY_CAP", value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub retry_cap: Duration,

    /// Dead-letter a post as a crash loop after this many deliveries without an acknowledgement
    #[arg(long, env = "SLUICE_MAX_DELIVERIES", value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=19))]
    pub max_deliveries: u64,

    /// How long to keep posts in flight while MySQL accepts no posts
    ///
    /// After that, they go back to the queue.
    #[arg(long, env = "SLUICE_HOLD", value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub hold: Duration,

    /// How long a stopping worker may take to finish the posts in flight
    ///
    /// After that, the rest goes back to the queue.
    #[arg(long, env = "SLUICE_DRAIN", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub drain: Duration,

    /// RabbitMQ.
    #[command(flatten)]
    pub broker: BrokerArgs,

    /// MySQL.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Set by the supervisor: exit when its pipe to this process closes
    #[arg(long, hide = true)]
    pub watched: bool,
}

impl RunArgs {
    /// When to try again.
    #[must_use]
    pub fn retry(&self) -> RetryPolicy {
        RetryPolicy { base: self.retry_base, cap: self.retry_cap, max_attempts: Some(self.max_attempts) }
    }

    /// Checks what clap cannot: combinations of settings.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.copies.check()?;
        self.strangers.check()?;
        if self.hold > LONGEST_HOLD {
            let problem =
                format!("{:?} is too long: RabbitMQ takes a delivery back after 30 minutes; at most 15m", self.hold);
            return Err(ConfigError::new("SLUICE_HOLD", problem));
        }
        let retries = self.retry_cap.saturating_mul(self.max_attempts);
        if retries > LONGEST_HOLD {
            let problem = format!(
                "{} attempts up to {:?} apart could keep a post in flight for {retries:?}, and RabbitMQ takes it back \
                 after 30 minutes; at most 15m in total",
                self.max_attempts, self.retry_cap
            );
            return Err(ConfigError::new("SLUICE_RETRY_CAP", problem));
        }
        Ok(())
    }

    /// The name without a number.
    #[must_use]
    pub fn base_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let host: String = gethostname::gethostname().to_string_lossy().chars().take(150).collect();
            format!("{host}-{}", std::process::id())
        })
    }
}

/// The column takes 200 characters, and a number may be added.
fn worker_name(text: &str) -> Result<String, String> {
    let fits = (1..=180).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("1 to 180 visible ASCII characters".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn run(args: &[&str]) -> Result<RunArgs, clap::Error> {
        let all = ["sluice-worker", "run"].into_iter().chain(args.iter().copied());
        Cli::try_parse_from(all).map(|cli| match cli.command {
            Command::Run(args) => *args,
            Command::Reference(_) => panic!("`run` is no other command"),
        })
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_later_flag_wins_which_is_how_a_watched_process_gets_its_own() {
        let args = run(&["--processes", "4", "--name", "a", "--processes", "1", "--name", "a-2"]).expect("valid");
        assert_eq!((args.processes, args.name.as_deref()), (1, Some("a-2")));
    }

    #[test]
    fn holding_a_post_longer_than_the_broker_allows_is_refused_by_name() {
        let args = run(&["--hold", "1h"]).expect("clap takes it");
        assert_eq!(args.check().map_err(|error| error.setting), Err("SLUICE_HOLD"));
        let args = run(&["--retry-cap", "10m", "--max-attempts", "5"]).expect("clap takes it");
        assert_eq!(args.check().map_err(|error| error.setting), Err("SLUICE_RETRY_CAP"));
    }

    #[test]
    fn wrong_values_are_refused() {
        for wrong in [["--processes", "0"], ["--prefetch", "-1"], ["--hold", "soon"], ["--migrate", "maybe"]] {
            assert!(run(&wrong).is_err(), "{wrong:?}");
        }
    }
}
