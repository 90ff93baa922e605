//! The first page: what `sluice status` says, kept up to date.

mod curve;

use askama::Template;
use axum::extract::State;

use super::app::Pages;
use super::frame::{Answered, Frame, Page};
use super::request::Visit;
use super::watch::{Moment, Point, Snapshot};
use crate::status::known::{Review, Status};
use crate::status::text::{Fact, facts, pause, unreachable};
use crate::status::worker_table::{notes, rate_of, rules, share, state, stored};
use crate::status::workers::Workers;
use crate::times::{shown, span};
use curve::Curve;
use sluice_rabbit::worker_status::WorkerStatus;

/// `templates/overview.html`.
#[derive(Template)]
#[template(path = "overview.html", blocks = ["now"])]
struct OverviewPage {
    frame: Frame,
    now: Option<Now>,
}

impl Page for OverviewPage {
    fn part(&self, id: &str) -> Option<askama::Result<String>> {
        (id == "now").then(|| self.as_now().render())
    }
}

/// What is known at the moment.
struct Now {
    at: String,
    prefix: String,
    paused: Option<Fact>,
    unreachable: Vec<Fact>,
    cards: Vec<Card>,
    /// The speeds in words, and as curves.
    speed: Option<String>,
    speeds: Curve,
    workers: Option<Vec<WorkerLine>>,
    notes: Vec<String>,
}

/// One number with what belongs to it.
struct Card {
    name: &'static str,
    href: Option<&'static str>,
    figure: Option<u64>,
    told: String,
    note: Option<String>,
    curve: Option<Curve>,
}

/// One worker.
struct WorkerLine {
    name: String,
    state: String,
    mark: &'static str,
    paused: Option<String>,
    in_flight: u32,
    stored: String,
    share: String,
    up: String,
    consumers: u32,
    version: String,
    rules: String,
}

/// Shows it.
pub(super) async fn show(State(pages): State<Pages>, visit: Visit) -> Answered {
    pages.0.snapshot.watch();
    let moment = pages.0.now.look().await;
    let now = moment.map(|moment| Now::new(&moment, pages.0.snapshot.latest().as_deref()));
    visit.show(&OverviewPage { frame: visit.frame("Overview"), now })
}

impl Now {
    fn new(moment: &Moment, snapshot: Option<&Snapshot>) -> Self {
        let mut status = moment.status.clone();
        let mut note = None;
        if let (Some(dead), Some(set)) = (&mut status.dead_letters, snapshot.and_then(|snapshot| snapshot.set.as_ref()))
        {
            dead.see(&set.seen, status.at);
            note = Some(format!("browsed {} ago", span(status.at - set.at)));
        }
        let facts = facts(&status);
        let is_speed = |fact: &&Fact| fact.name == "speed";
        let curve = |of: fn(&Point) -> Option<f64>| moment.points.iter().map(of).collect::<Vec<_>>();
        Self {
            at: shown(Some(status.at)),
            prefix: status.prefix.clone(),
            paused: pause(&status),
            unreachable: unreachable(&status),
            speed: facts.iter().find(is_speed).map(|fact| fact.value.clone()),
            speeds: Curve::new(&[curve(|point| point.accepted), curve(|point| point.stored)]),
            cards: facts
                .iter()
                .filter(|fact| !is_speed(fact))
                .map(|fact| Card::new(fact, moment, &status, &note))
                .collect(),
            workers: status.workers.as_ref().map(|workers| WorkerLine::all(workers, &status)),
            notes: notes(&status),
        }
    }
}

impl Card {
    fn new(fact: &Fact, moment: &Moment, status: &Status, browsed: &Option<String>) -> Self {
        let told = fact.value.clone();
        let card = Self { name: fact.name, href: None, figure: None, told, note: None, curve: None };
        let curve = |of: fn(&Point) -> Option<f64>| Some(Curve::new(&[moment.points.iter().map(of).collect()]));
        match fact.name {
            "queue" => Self {
                figure: status.queue.as_ref().map(|queue| queue.ready.into()),
                curve: curve(|point| point.waiting),
                ..card
            },
            "dead letters" => Self {
                figure: status.dead_letters.as_ref().map(|dead| dead.ready.into()),
                curve: curve(|point| point.dead),
                note: browsed.clone(),
                href: Some("/dead-letters"),
                ..card
            },
            "posts stored" => Self { figure: status.posts.as_ref().map(|posts| posts.total), ..card },
            "review" => Self {
                figure: status
                    .review
                    .as_ref()
                    .map(|Review { counts, .. }| counts.waiting + counts.escalated + counts.claimed),
                ..card
            },
            _ => card,
        }
    }
}

impl WorkerLine {
    fn all(workers: &Workers, status: &Status) -> Vec<Self> {
        let line = |(place, worker): (usize, &WorkerStatus)| {
            let rate = rate_of(status, place);
            let paused = worker.paused.as_ref().map(|pause| {
                let lasts = span(status.at - pause.since);
                format!("since {}, for {lasts}: {}: {}", shown(Some(pause.since)), pause.code, pause.message)
            });
            Self {
                name: worker.worker.clone(),
                state: state(worker),
                mark: if worker.paused.is_some() { "paused" } else { "good" },
                paused,
                in_flight: worker.in_flight,
                stored: stored(rate),
                share: share(rate),
                up: span(status.at - worker.started_at),
                consumers: worker.consumers,
                version: worker.version.clone(),
                rules: rules(worker, status),
            }
        };
        workers.members().iter().enumerate().map(line).collect()
    }
}
