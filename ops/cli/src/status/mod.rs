//! `sluice status`: what waits, what died, what is stored, and how fast it moves.
//!
//! A rate needs two samples: two a second apart where one answer is wanted, the last two refreshes with `--watch`.
//! What cannot be asked is said to be away, and the rest is shown. The workers answer for themselves.

mod crew;
mod dead;
mod sample;
mod text;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;
use sample::{Sampler, Status};
use sluice_core::config::{BrokerArgs, DatabaseArgs, duration};
use sluice_runtime::exit::Exit;
use sluice_runtime::shutdown;

use sluice_runtime::output;

/// The time between the two samples of a single answer.
const APART: Duration = Duration::from_secs(1);

/// What to show, and how.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// One JSON object: at, prefix, paused {dependency, since, workers, code, message} or null, queue {name, ready,
    /// consumers, in_hand, oldest_submitted_at, oldest_age_seconds}, workers [{worker, pid, version, ruleset,
    /// started_at, state, paused, consumers, in_hand, oldest_submitted_at, rules {since, refused {at, why}}, reviewer
    /// {circuit, since, why}}], dead_letters {name, ready, by_class, last_hour, oldest_failed_at, oldest_age_seconds,
    /// note}, posts {total, exact, by_verdict, sample}, rates {over_seconds, recorded_per_second, queue_growth_per_second}, away
    /// [{what, problem}]. What is away is null. With --watch one object a line
    #[arg(long)]
    json: bool,
    /// Refresh until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// The time between two refreshes
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = interval, requires = "watch")]
    interval: Duration,
    /// Look at the dead letters for their classes and ages however many there are; by default only up to 10000, since a
    /// look has all of them in hand for a while
    #[arg(long, conflicts_with = "no_look")]
    look: bool,
    /// Only count the dead letters
    #[arg(long)]
    no_look: bool,
    /// Count the posts however many there are: about a second for each million. By default more than 200,000 are
    /// estimated: `posts.exact` is false then, `by_verdict` null, and `sample` has the verdicts of the 1,000 posts with
    /// the highest ids, which are mostly the latest
    #[arg(long, conflicts_with = "watch")]
    exact: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let least = Duration::from_millis(100);
    duration(text).and_then(|given| if given < least { Err("at least 100ms".to_owned()) } else { Ok(given) })
}

/// Shows it, once or until Ctrl-C.
///
/// # Errors
/// When a setting is wrong or stdout cannot be written.
pub async fn run(args: StatusArgs) -> anyhow::Result<Exit> {
    let stop = shutdown::on_interrupt()?;
    let look = match (args.look, args.no_look) {
        (true, _) => dead::Look::Always,
        (_, true) => dead::Look::Never,
        _ => dead::Look::UpTo(dead::USUAL_LOOK),
    };
    let mut sampler = Sampler::new(&args.broker, &args.database, look, args.exact, stop.clone())?;
    let status = tokio::select! {
        status = once(&mut sampler, args.watch) => status,
        () = stop.cancelled() => return Ok(Exit::Interrupted),
    };
    if !args.watch {
        show(&status, args.json)?;
        sampler.close().await;
        return Ok(if status.away.is_empty() { Exit::Done } else { Exit::Failed });
    }
    redraw(&status, args.json)?;
    let mut last = status;
    let mut ticks = tokio::time::interval(args.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        let status = sampler.take().await.with_rates_since(&last);
        if stop.is_cancelled() {
            break;
        }
        redraw(&status, args.json)?;
        last = status;
    }
    sampler.close().await;
    Ok(Exit::Done)
}

/// The first answer: with rates, unless they will follow.
async fn once(sampler: &mut Sampler, watch: bool) -> Status {
    let first = sampler.take().await;
    // A count that takes long is taken once.
    if watch || sampler.is_exact() {
        return first;
    }
    tokio::time::sleep_until(first.taken + APART).await;
    sampler.take().await.with_rates_since(&first)
}

fn show(status: &Status, json: bool) -> std::io::Result<()> {
    output::print(|out| if json { output::json_line(out, status) } else { write!(out, "{}", text::page(status)) })
}

/// On a terminal each refresh takes the place of the one before.
fn redraw(status: &Status, json: bool) -> std::io::Result<()> {
    if !json && std::io::stdout().is_terminal() {
        let mut out = std::io::stdout().lock();
        write!(out, "\x1b[H\x1b[2J")?;
        out.flush()?;
    }
    show(status, json)?;
    if !json && !std::io::stdout().is_terminal() {
        output::print(|out| writeln!(out))?;
    }
    Ok(())
}
