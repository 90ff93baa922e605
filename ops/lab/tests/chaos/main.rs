//! The chaos suite: programs, servers and connections are broken on purpose while posts come in by HTTP and by file,
//! and at the end of each run the same question is asked: is every accepted post in exactly one place, and in MySQL
//! exactly once? And: has every held post one case, and is every decision that was promised there, and told in order?
//!
//! ```text
//!  seed ─► schedule of faults ─┐
//!                              ├─► play ─► account: `sluice verify`, and every row by id, title and content ─► figures
//!  load: HTTP, file ───────────┤
//!  two moderators ─────────────┘
//! ```
//!
//! The short form is a test like any other. The long form is run by `ops/test --chaos`; the same seed breaks the same
//! things in the same order and for as long. Runs come one after the other on private servers, each with a prefix and a
//! database of its own.

mod fault;
mod figures;
mod load;
mod moderators;
mod play;
mod programs;
mod reckoning;
mod reviewed;
mod scenario;
mod scenarios;
mod servers;
mod stage;
mod strike;
mod tally;

use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::time::Duration;

use figures::Figures;
use futures_util::FutureExt as _;
use play::Order;
use programs::Programs;
use scenario::{Form, Scenario};
use scenarios::{ALL, SHORT};
use servers::{Servers, SmallDisk};

/// The settings of `ops/test --chaos`.
const SEED: &str = "SLUICE_CHAOS_SEED";
const SCENARIO: &str = "SLUICE_CHAOS_SCENARIO";
const PROCESSES: &str = "SLUICE_CHAOS_PROCESSES";
const POSTS: &str = "SLUICE_CHAOS_POSTS";
/// Posts of one run: 50 runs make more than 100,000.
const LONG: usize = 2200;
const BRIEF: usize = 500;
/// No run takes longer.
const A_RUN: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn the_short_form_loses_nothing_and_doubles_nothing() {
    let named = |name: &str| ALL.into_iter().find(|scenario| scenario.name == name).expect("it is among them");
    play_all(Form::Short, SHORT.iter().map(|(name, processes)| (named(name), *processes))).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half an hour: ops/test --chaos"]
async fn the_long_form_loses_nothing_and_doubles_nothing() {
    play_all(Form::Long, ALL.into_iter().flat_map(|scenario| [(scenario, 1), (scenario, 4)])).await;
}

/// Plays those that are asked for, and wants each to be well.
async fn play_all(form: Form, all: impl Iterator<Item = (Scenario, u16)>) {
    let seed = setting(SEED).unwrap_or_else(|| fastrand::u64(..1_000_000));
    let (name, only): (Option<String>, Option<u16>) = (setting(SCENARIO), setting(PROCESSES));
    let posts = setting(POSTS).unwrap_or(if form == Form::Long { LONG } else { BRIEF });
    let orders: Vec<Order> = all
        .filter(|(scenario, _)| name.as_deref().is_none_or(|name| name == scenario.name))
        .filter(|(_, processes)| only.is_none_or(|only| only == *processes))
        .map(|(scenario, processes)| Order { scenario, processes, seed, form, posts })
        .collect();
    assert!(!orders.is_empty(), "there is no such scenario; there are {:?}", ALL.map(|scenario| scenario.name));
    let label = [Some(format!("seed-{seed}")), name, only.map(|only| only.to_string())];
    let label = label.into_iter().flatten().collect::<Vec<_>>().join("-");
    let runs = run(&orders, &label).await;
    let short = if form == Form::Short { " --short" } else { "" };
    assert_well(&runs, &format!("ops/test --chaos{short} --seed {seed}"));
}

/// A setting from the environment.
fn setting<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?} is not such a value")))
}

/// Runs all, one after the other, however they end.
async fn run(orders: &[Order], label: &str) -> Vec<Figures> {
    let programs = Programs::find();
    println!("chaos: {label}, {} runs, programs in {}", orders.len(), programs.folder().display());
    let (mut runs, mut skipped) = (Vec::new(), Vec::new());
    let (ordinary, limited): (Vec<&Order>, Vec<&Order>) =
        orders.iter().partition(|order| !order.scenario.needs.small_disk);
    if !ordinary.is_empty() {
        let servers = Servers::start(None).await;
        for order in ordinary {
            perform(&servers, &programs, order, label, &mut runs).await;
        }
        servers.stop().await;
    }
    for order in limited {
        match SmallDisk::mount() {
            Ok(disk) => {
                let servers = Servers::start(Some(disk)).await;
                perform(&servers, &programs, order, label, &mut runs).await;
                servers.stop().await;
            }
            Err(why) => {
                let skip = format!("{} × {}: no disk of limited size: {why}", order.scenario.name, order.processes);
                println!("\nSKIPPED {skip}");
                skipped.push(skip);
            }
        }
    }
    let folder = figures::write(label, &runs, &skipped);
    println!("\n{}\n\nfigures and logs: {}", figures::table(&runs), folder.display());
    skipped.iter().for_each(|skip| println!("SKIPPED {skip}"));
    runs
}

/// One run, and its figures at once, so that nothing is unknown when a later one is interrupted.
async fn perform(servers: &Servers, programs: &Programs, order: &Order, label: &str, runs: &mut Vec<Figures>) {
    servers.fix().await;
    let played = tokio::time::timeout(A_RUN, AssertUnwindSafe(play::play(servers, programs, order)).catch_unwind());
    let broken = |why: String| Figures {
        scenario: order.scenario.name.to_owned(),
        processes: order.processes,
        seed: order.seed,
        problems: vec![why],
        ..Figures::default()
    };
    let run = match played.await {
        Ok(Ok(figures)) => figures,
        Ok(Err(panic)) => broken(words(panic.as_ref())),
        Err(_) => broken(format!("it has not ended in {A_RUN:?}")),
    };
    run.notes.iter().for_each(|note| println!("  {note}"));
    run.problems.iter().for_each(|problem| println!("  PROBLEM {problem}"));
    println!(
        "  {} accepted, {} rows, {} dead, {} missing, {} duplicated, {} cases, {} decisions, {} lost, {:.0} s",
        run.accepted,
        run.recorded,
        run.dead,
        run.missing,
        run.doubled,
        run.cases,
        run.decisions,
        run.lost_decisions,
        run.seconds
    );
    runs.push(run);
    figures::write(label, runs, &[]);
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

/// That no run has a problem.
fn assert_well(runs: &[Figures], again: &str) {
    let failed: Vec<String> = runs
        .iter()
        .filter(|run| !run.problems.is_empty())
        .map(|run| {
            let (name, processes) = (&run.scenario, run.processes);
            let problems = run.problems.join("; ");
            format!("{name} × {processes}: {problems}\n  again: {again} --scenario {name} --processes {processes}")
        })
        .collect();
    assert!(failed.is_empty(), "{} of {} runs failed:\n{}", failed.len(), runs.len(), failed.join("\n"));
}
