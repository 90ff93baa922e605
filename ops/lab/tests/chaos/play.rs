//! One run: the stage is set, load and faults come at the same time, everything is fixed, and the account is drawn up.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::CancellationToken;

use crate::fault::{Dice, Step};
use crate::figures::Figures;
use crate::load::{self, Answer, Book, Recipe, Word};
use crate::moderators::{self, Desk};
use crate::programs::Programs;
use crate::reckoning::Tally;
use crate::reviewed;
use crate::scenario::{Bites, Form, Scenario};
use crate::servers::Servers;
use crate::stage::{Findings, Repaired, Stage, now};
use crate::tally;

/// The load goes on for so long after the last fault, so that there is something to resume with.
const AFTER: Duration = Duration::from_secs(2);
/// The load lasts longer than the schedule says, because starting servers takes its time too.
const SLACK: f64 = 1.3;
/// The promise for MySQL is 5 s, and so it is reported; a busy machine may take longer.
const RESUMED: Duration = Duration::from_secs(30);
/// The promise is 2 s.
const REFUSED: Duration = Duration::from_secs(6);

/// What is to be run.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) scenario: Scenario,
    pub(crate) processes: u16,
    pub(crate) seed: u64,
    pub(crate) form: Form,
    pub(crate) posts: usize,
}

/// Runs it.
pub(crate) async fn play(servers: &Servers, programs: &Programs, order: &Order) -> Figures {
    let Order { scenario, processes, .. } = order;
    let begun = Instant::now();
    let steps = (scenario.plan)(&mut Dice::new(order.seed, scenario.name, *processes), order.form);
    println!("\n{} × {processes}: {}", scenario.name, scenario.shows);
    println!("  schedule: {}", steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    let stage = Stage::set(servers, programs, scenario.needs, *processes).await;
    let (book, desk, before) = (Book::default(), Desk::default(), pids(&stage).await);
    break_under_load(&stage, &book, &desk, &steps, order).await;
    tally::verify(&stage, &book).await;
    survived(&stage, &steps, before).await;
    let counted = Figures {
        already_recorded: already_recorded(&stage).await,
        redelivered: servers.redelivered(&stage.ground.topology().queue()).await,
        ..Figures::default()
    };
    end(&stage).await;
    let tally = tally::count(&stage, &book).await;
    let reviewed = reviewed::account(&stage, &desk).await;
    let counted =
        Figures { cases: reviewed.cases, decisions: reviewed.decisions, lost_decisions: reviewed.lost, ..counted };
    let answers = book.answers();
    let figures = Figures {
        scenario: scenario.name.to_owned(),
        processes: *processes,
        seed: order.seed,
        seconds: begun.elapsed().as_secs_f64(),
        schedule: steps.iter().map(ToString::to_string).collect(),
        ..draw_up(&stage, &tally, &answers, counted)
    };
    judge(&stage, &figures, &answers);
    let said = [stage.producer.lock().await.said(), stage.workers.lock().await.said()];
    let said: Vec<String> = stage.findings().said.drain(..).chain(said).collect();
    judge_words(&stage, &figures, &said);
    let findings = stage.findings().clone();
    Figures { problems: findings.problems, notes: findings.notes, said, ..figures }
}

/// The faults, one after the other, and the load and the moderators at the same time.
async fn break_under_load(stage: &Stage<'_>, book: &Book, desk: &Desk, steps: &[Step], order: &Order) {
    let enough = CancellationToken::new();
    let needs = order.scenario.needs;
    let recipe =
        Recipe { run: stage.ground.name.clone(), seed: order.seed, one_sour_in: needs.one_sour_in, text: needs.text };
    let faults = async {
        for Step { quiet, fault } in steps {
            tokio::time::sleep(*quiet).await;
            stage.findings().struck.push(now());
            stage.strike(*fault).await;
        }
        tokio::time::sleep(AFTER).await;
        enough.cancel();
    };
    let window = steps.iter().map(|step| step.quiet + step.fault.lasts()).sum::<Duration>().mul_f64(SLACK);
    let load = load::send(stage, book, &recipe, order.posts * needs.flood, window, &enough);
    tokio::join!(faults, load, moderators::moderate(stage, desk, &enough));
}

/// The counts and times of a run.
fn draw_up(stage: &Stage<'_>, tally: &Tally, answers: &[Answer], counted: Figures) -> Figures {
    let findings = stage.findings().clone();
    let resumed = |fixed: Repaired| longest(&findings, fixed, &tally.recorded_at);
    let mut taken: Vec<i64> =
        answers.iter().filter(|answer| answer.word == Word::Accepted).map(|answer| answer.at).collect();
    taken.sort_unstable();
    let again = [Repaired::Rabbitmq, Repaired::Producer].map(|what| longest(&findings, what, &taken));
    let count = |word| answers.iter().filter(|answer| answer.word == word).count() as u64;
    Figures {
        accepted: tally.accepted,
        in_doubt: tally.in_doubt,
        in_doubt_recorded: tally.in_doubt_recorded,
        refused: count(Word::Refused),
        unanswered: count(Word::Nothing),
        recorded: tally.recorded,
        dead: tally.dead,
        missing: tally.missing,
        doubled: tally.doubled,
        slowest_refusal: slowest(answers, Word::Refused),
        slowest_accepted: slowest(answers, Word::Accepted),
        resumed_after_mysql: resumed(Repaired::Mysql),
        resumed_after_rabbitmq: resumed(Repaired::Rabbitmq),
        resumed_after_workers: resumed(Repaired::Workers),
        accepted_again: again.into_iter().flatten().reduce(f64::max),
        ..counted
    }
}

/// Whether the faults had an effect, and no program panicked.
fn judge_words(stage: &Stage<'_>, figures: &Figures, said: &[String]) {
    let bitten = match stage.needs.bites {
        Bites::Unsaid => true,
        Bites::Said(words) => said.iter().any(|said| words.iter().any(|words| said.contains(words))),
        Bites::Refusals => figures.refused > 0,
        Bites::Breaks => figures.unanswered > 0,
    };
    if !bitten {
        stage.problem(format!("the faults had no effect: {:?} was not seen", stage.needs.bites));
    }
    if said.iter().any(|said| said.contains("panicked at")) {
        stage.problem("a program panicked".to_owned());
    }
}

/// What the promises say about times and answers.
fn judge(stage: &Stage<'_>, figures: &Figures, answers: &[Answer]) {
    let late = |what: &str, seconds: Option<f64>, most: Duration| {
        if let Some(seconds) = seconds.filter(|seconds| *seconds > most.as_secs_f64()) {
            stage.problem(format!("{what} took {seconds:.1} s"));
        }
    };
    late("resuming after MySQL", figures.resumed_after_mysql, RESUMED);
    late("resuming after RabbitMQ", figures.resumed_after_rabbitmq, RESUMED);
    late("resuming after the workers", figures.resumed_after_workers, RESUMED);
    late("accepting again", figures.accepted_again, RESUMED);
    late("a refusal", figures.slowest_refusal, REFUSED);
    let count = |wanted: fn(Word) -> bool| answers.iter().filter(|answer| wanted(answer.word)).count();
    let silent = count(|word| word == Word::Silence);
    if silent > 0 {
        stage.problem(format!("{silent} requests had no answer in 10 s"));
    }
    if let Some(wrong) = answers.iter().find(|answer| matches!(answer.word, Word::Wrong(_))) {
        stage.problem(format!("the front door answered {:?}", wrong.word));
    }
}

/// The longest time from a fixing to the next event after it, in seconds. Where the next fault came before the event,
/// there was no time to recover, and the fixing after that fault is the one that counts.
fn longest(findings: &Findings, what: Repaired, events: &[i64]) -> Option<f64> {
    let next = |of: &[i64], at: i64| of.get(of.partition_point(|event| *event < at)).copied();
    let wait = |at: i64| {
        let event = next(events, at)?;
        next(&findings.struck, at).is_none_or(|strike| event <= strike).then_some(event - at)
    };
    let fixed = findings.fixed.iter().filter(|(fixed, _)| *fixed == what);
    fixed.filter_map(|(_, at)| wait(*at)).max().map(|micros| micros as f64 / 1e6)
}

fn slowest(answers: &[Answer], word: Word) -> Option<f64> {
    let took = answers.iter().filter(|answer| answer.word == word).map(|answer| answer.took);
    took.max().map(|took| took.as_secs_f64())
}

/// The front door, the process that was started as worker, and those that consume.
async fn pids(stage: &Stage<'_>) -> (i32, i32, Vec<i32>) {
    let producer = stage.producer.lock().await.pid();
    let first = stage.workers.lock().await.pid();
    (producer, first, stage.worker_pids().await)
}

/// What no fault was aimed at must still be the same processes.
async fn survived(stage: &Stage<'_>, steps: &[Step], before: (i32, i32, Vec<i32>)) {
    let after = pids(stage).await;
    let aimed_at = |what: fn(crate::fault::Fault) -> bool| steps.iter().any(|step| what(step.fault));
    let lives = |pid: i32| kill(Pid::from_raw(pid), None::<Signal>).is_ok();
    let producer = stage.producer.lock().await.has_ended();
    if let Some(status) = producer {
        stage.problem(format!("the front door has ended by itself: {status}"));
    }
    if !aimed_at(|fault| fault.ends_producer()) && before.0 != after.0 {
        stage.problem(format!("the front door did not survive: {} before, {} after", before.0, after.0));
    }
    if !aimed_at(|fault| fault.ends_workers()) && (before.1, &before.2) != (after.1, &after.2) {
        stage.problem(format!("workers did not survive: {before:?} before, {after:?} after"));
    }
    if after.2.len() != usize::from(stage.processes) || !after.2.iter().all(|pid| lives(*pid)) {
        stage.problem(format!("{} worker processes should run, but {after:?} do", stage.processes));
    }
}

/// How many posts the workers found to be recorded already: those of them that can still be asked.
async fn already_recorded(stage: &Stage<'_>) -> u64 {
    let mut said = stage.findings().said.clone();
    said.push(stage.workers.lock().await.said());
    let addresses = said.iter().flat_map(|said| said.lines()).filter(|line| line.contains("serving /healthz"));
    let addresses = addresses.filter_map(|line| line.split_once("address=")?.1.split_whitespace().next());
    let mut sum = 0;
    for address in addresses {
        let Ok(answer) = reqwest::get(format!("http://{address}/metrics")).await else { continue };
        let text = answer.text().await.unwrap_or_default();
        let lines = text.lines().filter(|line| line.starts_with("sluice_posts_recorded_total"));
        let lines = lines.filter(|line| line.contains("already_recorded"));
        sum += lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum::<u64>();
    }
    sum
}

/// Stops the programs, which must end in order: nothing is to be recorded after the tally.
async fn end(stage: &Stage<'_>) {
    let (mut producer, mut workers) = (stage.producer.lock().await, stage.workers.lock().await);
    for (name, program) in [("front door", &mut *producer), ("workers", &mut *workers)] {
        if program.has_ended().is_none() {
            let status = program.stop().await;
            if !status.success() {
                stage.problem(format!("SIGTERM ended the {name} with {status}"));
            }
        }
    }
}

#[test]
fn a_repair_that_did_not_last_is_not_timed() {
    let fixed = [1, 4, 9].map(|second| (Repaired::Mysql, second * 1_000_000)).to_vec();
    // The second fault came before anything was stored; nothing was stored after the last.
    let findings = Findings { fixed, struck: vec![0, 2_000_000, 7_000_000], ..Findings::default() };
    assert_eq!(longest(&findings, Repaired::Mysql, &[500_000, 6_500_000]), Some(2.5));
    assert_eq!(longest(&findings, Repaired::Rabbitmq, &[500_000, 6_500_000]), None);
}
