//! What is lost when the process that consumes is killed, as it is when memory runs out, and is started again.
//!
//! A delivery that was not acknowledged comes back to the queue by itself; one that was acknowledged before its row was
//! committed is lost.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::celery::{Acks, Tasks};
use super::drain::{SIMPLE, SIMPLE_GO};
use super::figures::{SLUICE, Sheet, Unit};
use super::place::Place;
use super::stage::Stage;
use super::{LOOK_AGAIN, floor};
use crate::program::Program;

/// Posts in the queue at the start.
const POSTS: usize = 10_000;
/// It is killed each time that so many more are stored.
const EVERY: usize = 1500;
/// How often.
const KILLS: u8 = 5;
/// Consumers of a program.
const CONSUMERS: &str = "16";
/// Nothing more comes when the queue is empty and nothing was stored for so long.
const QUIET: Duration = Duration::from_secs(3);
/// How long posts may wait in the queue while nothing is stored.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured, in the tables.
pub(super) const LOST: &str = "posts lost of 10,000 at 5 kills";
const KILLED: &str = "kills";

/// Who consumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consumer {
    Sluice,
    Simple,
    Go,
    /// The broker forgets a post when it has sent it, as in the usual tutorial.
    GoAutoAck,
    Celery(Acks),
}

impl Consumer {
    const ALL: [Self; 6] =
        [Self::Sluice, Self::Simple, Self::Go, Self::GoAutoAck, Self::Celery(Acks::Early), Self::Celery(Acks::Late)];

    fn who(self) -> &'static str {
        match self {
            Self::Sluice => SLUICE,
            Self::Simple => SIMPLE,
            Self::Go => SIMPLE_GO,
            Self::GoAutoAck => "Go, automatic acks",
            Self::Celery(Acks::Early) => "Celery, defaults",
            Self::Celery(Acks::Late) => "Celery, acks_late",
        }
    }

    /// Whether what it needs was named.
    fn is_there(self, stage: &Stage) -> bool {
        match self {
            Self::Sluice | Self::Simple => true,
            Self::Go | Self::GoAutoAck => stage.has_go_peer(),
            Self::Celery(_) => stage.has_celery_peer(),
        }
    }
}

pub(super) async fn turn(stage: &Stage, sheet: &mut Sheet<'_>) -> anyhow::Result<()> {
    for consumer in Consumer::ALL.into_iter().filter(|consumer| consumer.is_there(stage)) {
        let (lost, kills) = killed(stage, consumer).await?;
        sheet.add(LOST, consumer.who(), Unit::Posts, lost as f64);
        sheet.add(KILLED, consumer.who(), Unit::Times, f64::from(kills));
    }
    Ok(())
}

/// How many posts have no row at the end, and how often the consumer was killed: one that is done before is killed less
/// often.
async fn killed(stage: &Stage, consumer: Consumer) -> anyhow::Result<(usize, u8)> {
    let place = stage.place().await?;
    let posts = stage.posts(|make| make.take(stage.count(POSTS)));
    let queue = match consumer {
        Consumer::Celery(acks) => {
            let tasks = Tasks::publish(stage, format!("{}-celery", place.prefix), &posts).await?;
            Queue::Tasks(tasks, acks)
        }
        _ => {
            floor::broker::publish(&stage.amqp_url(), &place.topology, &posts).await?;
            Queue::Posts(&place)
        }
    };
    let mut program = start(stage, consumer, &queue)?;
    let mut kills = 0;
    loop {
        // After the last kill, no number of rows is waited for, only the end.
        let rows = if kills < KILLS { usize::from(kills + 1) * stage.count(EVERY) } else { usize::MAX };
        if !reached(stage, &queue, &mut program, rows).await? {
            break;
        }
        program.kill_group().await?;
        kills += 1;
        program = start(stage, consumer, &queue)?;
    }
    program.end().await?;
    let stored = stage.rows().ids().await?;
    if let Queue::Tasks(tasks, _) = queue {
        tasks.remove().await?;
    }
    place.remove().await;
    Ok((posts.iter().filter(|post| !stored.contains(&post.id.to_string())).count(), kills))
}

/// Where the posts wait.
enum Queue<'a> {
    Posts(&'a Place),
    Tasks(Tasks<'a>, Acks),
}

fn start(stage: &Stage, consumer: Consumer, queue: &Queue<'_>) -> anyhow::Result<Program> {
    let place = match queue {
        Queue::Posts(place) => place,
        Queue::Tasks(tasks, acks) => return tasks.start(*acks),
    };
    let name = place.topology.queue();
    let args = ["consume", "--queue", &name, "--consumers", CONSUMERS];
    match consumer {
        Consumer::Simple => stage.start_peer(&args),
        Consumer::Go => stage.start_go_peer(&args),
        Consumer::GoAutoAck => stage.start_go_peer(&[&args[..], &["--auto-ack"]].concat()),
        _ => stage.start(place, "sluice-worker", &["run", "--concurrency", CONSUMERS]),
    }
}

/// Waits until so many rows are there: yes; or until no more come: no.
async fn reached(stage: &Stage, queue: &Queue<'_>, program: &mut Program, rows: usize) -> anyhow::Result<bool> {
    let (mut since, mut before) = (Instant::now(), 0);
    loop {
        program.check()?;
        let count = stage.rows().count().await?;
        if count >= rows {
            return Ok(true);
        }
        if count > before {
            (since, before) = (Instant::now(), count);
        }
        if since.elapsed() >= QUIET {
            let waiting = match queue {
                Queue::Posts(place) => place.waiting().await?,
                Queue::Tasks(tasks, _) => tasks.waiting().await?,
            };
            if waiting == 0 {
                return Ok(false);
            }
            ensure!(
                since.elapsed() < PATIENCE,
                "{waiting} posts wait in the queue, and none was stored for {PATIENCE:?}; see {}",
                program.log().display()
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
