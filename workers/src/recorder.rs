//! The recorder: one task that writes what all consumers of the process have to write.
//!
//! It writes what is waiting in one statement, but for the few rows beyond one of the sizes that groups have, then takes
//! what has gathered meanwhile. There is no timer, so a lone post waits for nothing, and under load the groups grow by
//! themselves up to the number of posts in hand.
//!
//! A statement stores its rows but for those that a unique key refuses, of which the store says what became of each; or
//! it fails, and stores none. When the group fails through a row's own fault it is halved until the one bad row stands
//! alone: the others are stored, that one fails.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use common::failpoint;
use common::failure::{Failure, Kind};
use common::store::{Row, RowOutcome, Store};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

/// The most rows of one statement: at twelve values each far below the 65,535 a prepared statement may have.
const GROUP_ROWS: usize = 1000;
/// The most bytes of text of one statement, unless a single row has more: far below every server's packet limit.
const GROUP_BYTES: usize = 2 * 1024 * 1024;

/// The way to the recorder's task. It ends when its last handle is dropped.
#[derive(Clone)]
pub struct Recorder {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    row: Row,
    answer: oneshot::Sender<RowOutcome>,
}

impl Recorder {
    /// Starts the task.
    #[must_use]
    pub fn start(store: Arc<Store>, worker: String) -> Self {
        let (jobs, waiting) = mpsc::channel(GROUP_ROWS);
        tokio::spawn(run(waiting, store, worker));
        Self { jobs }
    }

    /// Stores a row, together with whoever else is waiting.
    ///
    /// # Errors
    /// The row's own failure, or the dependency's.
    pub async fn record(&self, row: Row) -> RowOutcome {
        let (answer, answered) = oneshot::channel();
        // The task outlives its handles and survives what panics in it; its end would mean that the runtime ends.
        let gone = || Failure::new(Kind::Dependency, "recorder_gone", "the recorder has ended");
        self.jobs.send(Job { row, answer }).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(mut waiting: mpsc::Receiver<Job>, store: Arc<Store>, worker: String) {
    let (mut jobs, mut come) = (VecDeque::with_capacity(GROUP_ROWS), Vec::with_capacity(GROUP_ROWS));
    loop {
        let more = waiting.recv_many(&mut come, GROUP_ROWS);
        if !jobs.is_empty() {
            // What is left of the last group waits for nobody.
            let _ = more.now_or_never();
        } else if more.await == 0 {
            return;
        }
        jobs.extend(come.drain(..));
        write(next_group(&mut jobs), &store, &worker).await;
    }
}

/// Rows of one statement, and who waits for each.
#[derive(Default)]
struct Group {
    rows: Vec<Row>,
    answers: Vec<oneshot::Sender<RowOutcome>>,
}

/// Takes the next group from what is waiting.
fn next_group(jobs: &mut VecDeque<Job>) -> Group {
    let (mut group, mut bytes) = (Group::default(), 0);
    // A single row may be larger than a group is to be.
    let fit = jobs.iter().take(GROUP_ROWS).take_while(|job| {
        bytes += job.row.bytes();
        bytes <= GROUP_BYTES
    });
    let rows = fit.count().max(1);
    for Job { row, answer } in jobs.drain(..round(rows)) {
        group.rows.push(row);
        group.answers.push(answer);
    }
    group
}

/// The next lower number of rows that groups have: all up to 8, then four in each doubling.
///
/// A statement is prepared for its number of rows, which for hundreds of them costs the server more than to run it. With
/// these sizes there are so few statements that all of them stay prepared, and no more than a fifth of what waits has to
/// wait for the next one.
fn round(rows: usize) -> usize {
    let step = rows.ilog2().saturating_sub(2);
    rows >> step << step
}

/// Writes a group, halving it as long as a row's own fault makes it fail.
async fn write(group: Group, store: &Store, worker: &str) {
    let mut open = vec![group];
    while let Some(mut group) = open.pop() {
        metrics::histogram!("sluice_group_rows").record(u32::try_from(group.rows.len()).unwrap_or(u32::MAX));
        let insert = async {
            failpoint::reach(failpoint::STORE);
            group.rows.iter().for_each(|row| failpoint::reach_with(failpoint::STORE, &row.post.title));
            store.insert(&group.rows, worker).await
        };
        let inserted = AssertUnwindSafe(insert).catch_unwind().await;
        match inserted.unwrap_or_else(panicked) {
            Ok(outcomes) => {
                for (answer, outcome) in group.answers.into_iter().zip(outcomes) {
                    let _ = answer.send(outcome);
                }
            }
            Err(failure) if group.rows.len() > 1 && is_a_rows_own(failure.kind) => {
                let half = group.rows.len() / 2;
                let (rows, answers) = (group.rows.split_off(half), group.answers.split_off(half));
                open.push(Group { rows, answers });
                open.push(group);
            }
            Err(failure) => {
                for answer in group.answers {
                    let _ = answer.send(Err(failure.clone()));
                }
            }
        }
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Result<Vec<RowOutcome>, Failure> {
    Err(Failure::panicked("store", &*panic))
}

/// Whether one row can have made the whole group fail. A deadlock or a lock wait is one row's too: its neighbours need
/// not spend an attempt on it.
fn is_a_rows_own(kind: Kind) -> bool {
    match kind {
        Kind::Permanent | Kind::Transient => true,
        Kind::Dependency | Kind::Operator => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn groups_have_few_sizes_and_leave_no_more_than_a_fifth_behind() {
        let sizes: BTreeSet<usize> = (1..=GROUP_ROWS).map(round).collect();
        assert!(sizes.len() <= 36, "{sizes:?}");
        assert!((1..=8).all(|rows| round(rows) == rows));
        assert!((1..=GROUP_ROWS).all(|rows| round(rows) <= rows && round(rows) * 5 >= rows * 4));
    }
}
