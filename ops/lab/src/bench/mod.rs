//! `sluice-lab bench`: how fast it is, beside what the servers can do by themselves and what one would write without
//! it.
//!
//! ```text
//!  turn 1 ─► accept ─► drain ─► cost ─► latency ─► scale ─► start ─► kills ─► review
//!  turn 2 ─► …            each subject of a part right after the other, so that what the machine does meanwhile hits
//!  …                      all of them
//!  ─► medians, ratios within each turn, what was promised ─► table, JSON, plots
//! ```
//!
//! On a shared machine, the speed changes over time by more than the differences that are measured. So only ratios of
//! figures of one turn count, and of those the median. Nothing is printed of a run that did not end.

mod accept;
mod celery;
mod cost;
mod door;
mod drain;
mod figures;
mod floor;
mod kills;
mod latency;
mod load;
mod machine;
mod peer;
mod place;
mod plot;
mod plots;
mod posts;
mod processor;
mod promises;
mod report;
mod review;
mod rows;
mod scale;
mod stage;
mod start;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use sluice_runtime::exit::Exit;

use figures::Figures;
pub use peer::PeerArgs;
use stage::Stage;

/// Arguments of `sluice-lab bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Measure only this part; repeatable [default: all]
    #[arg(long = "part", value_name = "PART", value_enum)]
    pub parts: Vec<Part>,

    /// Number of times everything is measured; medians are printed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub turns: u32,

    /// Use a tenth of the posts and of the time, to check that everything runs; the figures mean nothing
    #[arg(long)]
    pub quick: bool,

    /// Folder of servers started by `sluice-lab stack up` [default: its own servers, stopped at the end]
    #[arg(long, value_name = "DIR")]
    pub stack: Option<PathBuf>,

    /// Start its own servers from this root folder: the newest RabbitMQ and MySQL [default: this machine's RabbitMQ and
    /// MariaDB]
    ///
    /// `ops/newest` creates one; only root can use it.
    #[arg(long, value_name = "DIR", conflicts_with = "stack")]
    pub root: Option<PathBuf>,

    /// Also measure this program, the same written in Go; `ops/peers/build` builds it
    #[arg(long, value_name = "PROGRAM")]
    pub go_peer: Option<PathBuf>,

    /// Also measure the Celery tasks in this folder, `ops/peers/celery`; `ops/peers/build` installs what they need
    #[arg(long, value_name = "DIR")]
    pub celery_peer: Option<PathBuf>,

    /// Folder to write figures.json and the plots to
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Print one JSON object with the figures
    #[arg(long)]
    pub json: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Posts accepted over HTTP per second
    Accept,
    /// Posts recorded in MySQL per second
    Drain,
    /// Processor time that a post takes
    Cost,
    /// Time that a post takes, under light and heavier traffic
    Latency,
    /// Slowdown and memory use with a long backlog
    Scale,
    /// Time that the programs take to start and to stop
    Start,
    /// Posts lost when the consumer is killed
    Kills,
    /// Cost of the cases of held posts, and time that a moderator waits for the next one
    Review,
}

impl Part {
    const ALL: [Self; 8] =
        [Self::Accept, Self::Drain, Self::Cost, Self::Latency, Self::Scale, Self::Start, Self::Kills, Self::Review];

    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Drain => "drain",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Scale => "scale",
            Self::Start => "start",
            Self::Kills => "kills",
            Self::Review => "review",
        }
    }
}

/// Runs it.
///
/// # Errors
/// When the servers or the programs cannot be had, one of them fails on the way, or it is stopped: then nothing is
/// printed of what was measured, and all that was started has ended.
pub async fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    let stop = sluice_runtime::shutdown::on_interrupt().context("cannot listen for signals")?;
    let stopped = || anyhow::anyhow!("stopped before the end: no figures are printed");
    let begun = Instant::now();
    let stage = tokio::select! {
        stage = Stage::set(&args) => stage?,
        () = stop.cancelled() => return Err(stopped()),
    };
    let measured = tokio::select! {
        measured = measure(&stage, &args) => measured,
        () = stop.cancelled() => Err(stopped()),
    };
    let servers = stage.versions().await;
    let struck = stage.strike().await;
    let figures = measured?;
    struck?;
    let report = report::Report::new(&args, servers, begun.elapsed(), figures);
    if let Some(folder) = &args.out {
        report.write(folder)?;
    }
    report.print(args.json)?;
    Ok(Exit::Done)
}

/// One of the peers, as a program of its own.
///
/// # Errors
/// When it cannot go on.
pub async fn run_peer(args: PeerArgs) -> anyhow::Result<Exit> {
    peer::run(args).await
}

/// Everything that was asked for, turn by turn.
async fn measure(stage: &Stage, args: &BenchArgs) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    for turn in 1..=args.turns {
        for part in Part::ALL.into_iter().filter(|part| args.parts.is_empty() || args.parts.contains(part)) {
            eprintln!("turn {turn} of {}: {}", args.turns, part.name());
            let mut sheet = figures.sheet(part);
            match part {
                Part::Accept => accept::turn(stage, &mut sheet).await,
                Part::Drain => drain::turn(stage, &mut sheet).await,
                Part::Cost => cost::turn(stage, &mut sheet).await,
                Part::Latency => latency::turn(stage, &mut sheet).await,
                Part::Scale => scale::turn(stage, &mut sheet).await,
                Part::Start => start::turn(stage, &mut sheet).await,
                Part::Kills => kills::turn(stage, &mut sheet).await,
                Part::Review => review::turn(stage, &mut sheet).await,
            }
            .with_context(|| format!("measuring `{}` failed in turn {turn}", part.name()))?;
        }
    }
    Ok(figures)
}

/// How often something is looked at while it is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
