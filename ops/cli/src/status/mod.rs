//! `sluice status`: queue, dead letters, stored posts, and rates.
//!
//! A rate needs two samples: two a second apart where one answer is wanted, the last two refreshes with `--watch`.
//! What cannot be queried is reported as unreachable, and the rest is shown. The workers report their own state.

pub(crate) mod dead;
pub(crate) mod known;
mod rates;
pub(crate) mod sample;
pub(crate) mod text;
mod watch;
pub(crate) mod worker_table;
pub(crate) mod workers;

use std::time::Duration;

use clap::Args;
use known::Status;
use sample::Sampler;
use sluice_core::config::{ServerArgs, duration};
use sluice_runtime::exit::Exit;
use sluice_runtime::shutdown;
use tokio_util::sync::CancellationToken;

use crate::members::{Management, ManagementArgs};
use sluice_runtime::output;

/// The time between the two samples of a single answer.
const APART: Duration = Duration::from_secs(1);

/// Arguments of `sluice status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    servers: ServerArgs,
    #[command(flatten)]
    management: ManagementArgs,
    /// Print one JSON object; with --watch, one per line
    ///
    /// Keys: at, prefix, paused {dependency, since, workers, code, message} or null, queue {name, ready, consumers,
    /// in_flight, oldest_submitted_at, oldest_age_seconds}, workers [{worker, pid, version, ruleset, started_at, state,
    /// paused, consumers, in_flight, stored, dead_lettered, oldest_submitted_at, rules {since, refused {at, why}},
    /// scorer {id, since, in_shadow, refused {at, why}}, reviewer {circuit, since, why}}], dead_letters {name, ready, by_class, last_hour, oldest_failed_at,
    /// oldest_age_seconds, note}, posts {total, exact, by_verdict, pruned, sample}, review {waiting, escalated,
    /// claimed, oldest, unnumbered (events not in the feed yet), undelivered, time_to_decision {decisions, p50, p90,
    /// p99} (seconds from the opening of a case, of the last 24 hours' decisions)}, cluster [what is wrong, with
    /// --management-url], rates {over_seconds,
    /// accepted_per_second, recorded_per_second, queue_growth_per_second, workers [{worker, pid, stored_per_second,
    /// share}]}, unreachable [{what, since, problem}]. Anything that cannot be queried is null.
    #[arg(long)]
    json: bool,
    /// Refresh until Ctrl-C
    ///
    /// On a terminal, shows a full-screen page: q, Esc or Ctrl-C quits; the arrow keys, j, k, PageUp and PageDown
    /// scroll the workers; NO_COLOR turns colours off. Elsewhere, prints one block of text after another.
    #[arg(long)]
    watch: bool,
    /// Time between two refreshes, at least 100ms
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = interval, requires = "watch")]
    interval: Duration,
    /// Browse the dead letters for classes and ages, however many there are
    ///
    /// By default, dead letters are browsed only if there are at most 10000, because browsing keeps all of them in
    /// flight for a while.
    #[arg(long, conflicts_with = "no_look")]
    look: bool,
    /// Count the dead letters without browsing them
    #[arg(long)]
    no_look: bool,
    /// Count the posts, however many there are
    ///
    /// Takes about one second per million posts. By default, more than 200,000 posts are estimated: `posts.exact` is
    /// then false, `by_verdict` is null, and `sample` has the verdicts of the 1,000 posts with the highest ids, which
    /// are mostly the latest.
    #[arg(long, conflicts_with = "watch")]
    exact: bool,
}

impl StatusArgs {
    /// Whether a page is shown that stays: then nothing else may be written to the terminal.
    #[must_use]
    pub fn on_a_screen(&self) -> bool {
        self.watch && !self.json && watch::has_a_screen()
    }
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
    let (broker, database) = (&args.servers.broker, &args.servers.database);
    let management = Management::new(&args.management, broker)?;
    let mut sampler = Sampler::new(broker, database, look, args.exact, stop.clone())?.with(management);
    if !args.watch {
        let status = tokio::select! {
            status = once(&mut sampler) => status,
            () = stop.cancelled() => return Ok(Exit::Interrupted),
        };
        show(&status, args.json)?;
        sampler.close().await;
        return Ok(if status.unreachable.is_empty() { Exit::Done } else { Exit::Failed });
    }
    if args.on_a_screen() {
        watch::run(sampler, args.interval, stop).await?;
    } else {
        follow(&mut sampler, &args, &stop).await?;
        sampler.close().await;
    }
    Ok(Exit::Done)
}

/// One answer: with rates, unless counting takes long.
async fn once(sampler: &mut Sampler) -> Status {
    let first = sampler.take().await;
    if sampler.is_exact() {
        return first;
    }
    tokio::time::sleep_until(first.taken + APART).await;
    sampler.take().await.with_rates_since(&first)
}

/// One answer after the other, for a program that reads them, until the stop.
async fn follow(sampler: &mut Sampler, args: &StatusArgs, stop: &CancellationToken) -> std::io::Result<()> {
    let mut last: Option<Status> = None;
    let mut ticks = tokio::time::interval(args.interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let status = sampler.take().await;
        if stop.is_cancelled() {
            return Ok(());
        }
        let status = match &last {
            Some(last) => status.with_rates_since(last),
            None => status,
        };
        show(&status, args.json)?;
        if !args.json {
            output::print(|out| writeln!(out))?;
        }
        last = Some(status);
    }
}

fn show(status: &Status, json: bool) -> std::io::Result<()> {
    output::print(|out| if json { output::json_line(out, status) } else { write!(out, "{}", text::page(status)) })
}
