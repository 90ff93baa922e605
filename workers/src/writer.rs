//! One statement, and if it fails, which posts that affects.
//!
//! The error alone does not show this ([`sluice_core::disposition::blame`]), so after a failure the writer tries a test
//! row. It does not wait for the end of an unusually slow statement either: if the table accepts a test row in the
//! meantime, one of the statement's own rows is slow, and the others need not wait for it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use sluice_core::disposition::{Blame, blame};
use sluice_core::failure::{Failure, Kind};
use sluice_mysql::{PATIENCE, Recorded, Row, RowOutcome, Store};
use sluice_runtime::failpoint;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A statement that finishes within this time is never unusually slow.
const QUICK: Duration = Duration::from_millis(200);
/// This many times the usual duration is unusually slow.
const UNUSUAL: u32 = 4;

/// The outcome of a row: if it is not stored, why, and which posts that affects.
pub type Answer = Result<Recorded, (Failure, Blame)>;
/// The result of an insert.
type Inserted = Result<Vec<RowOutcome>, Failure>;
/// The result of a test row.
type Plain = Result<(), Failure>;

/// Writes rows, and finds out which posts a failure affects.
pub struct Writer {
    store: Arc<Store>,
    worker: String,
    asked: Arc<Mutex<Option<Asked>>>,
    /// The usual duration of successful statements, in microseconds; recent ones have more weight.
    usual: AtomicU64,
}

/// The latest result of a test row, and when it arrived.
struct Asked {
    at: Instant,
    plain: Plain,
}

/// The outcome of a statement.
pub enum Written {
    /// It succeeded: the outcome of each of its rows.
    Answered(Vec<Answer>),
    /// None of them is stored.
    Failed(Failure, Blame),
    /// It took too long while the table accepted a test row, and was abandoned.
    TooSlow,
}

impl Writer {
    /// One for this table, under the name of this worker.
    #[must_use]
    pub fn new(store: Arc<Store>, worker: String) -> Self {
        Self { store, worker, asked: Arc::default(), usual: AtomicU64::new(0) }
    }

    /// The most bytes that the server accepts at once.
    #[must_use]
    pub fn packet(&self) -> usize {
        self.store.packet()
    }

    /// Writes a group, or abandons it as soon as it is slow because of its own rows.
    pub async fn write(&self, rows: &[Row]) -> Written {
        let usual = Duration::from_micros(self.usual.load(Ordering::Relaxed));
        self.write_within(rows, QUICK.max(usual * UNUSUAL)).await
    }

    /// Writes rows, and abandons them after `patience` if the table then accepts a test row.
    pub async fn write_within(&self, rows: &[Row], patience: Duration) -> Written {
        let begun = Instant::now();
        let mut insert = pin!(self.insert(rows));
        let (inserted, plain) = match tokio::time::timeout(patience, &mut insert).await {
            Ok(inserted) => (inserted, None),
            Err(_) => match self.compare(insert).await {
                Some(both) => both,
                None => return Written::TooSlow,
            },
        };
        match inserted {
            Ok(outcomes) => {
                self.learn(begun.elapsed());
                Written::Answered(self.each(outcomes).await)
            }
            Err(failure) => self.whose(rows, failure, plain).await,
        }
    }

    /// Waits for a slow insert as long as a test row is slow too. `None`: it is slow because of its own rows.
    async fn compare(&self, mut insert: Pin<&mut impl Future<Output = Inserted>>) -> Option<(Inserted, Option<Plain>)> {
        let asking = Instant::now();
        let plain = tokio::select! {
            inserted = &mut insert => return Some((inserted, None)),
            plain = self.ask(asking) => plain,
        };
        match plain {
            // On a busy server, the test row was slow too.
            Ok(()) => Some((tokio::time::timeout(asking.elapsed() * 2, insert).await.ok()?, None)),
            failed => Some((insert.await, Some(failed))),
        }
    }

    /// Which posts a failure affects; `plain` is the result of a test row during the insert, if it failed.
    async fn whose(&self, rows: &[Row], failure: Failure, plain: Option<Plain>) -> Written {
        let plain = match plain {
            Some(plain) => plain,
            None => self.ask(Instant::now()).await,
        };
        match (blame(&failure, &plain), rows) {
            // The result includes the current packet limit.
            (Blame::Post, [row]) => Written::Failed(self.told(row, failure), Blame::Post),
            (blame, _) => Written::Failed(failure, blame),
        }
    }

    /// The outcome of each row of a successful statement. A skipped row is itself at fault, unless the query that finds
    /// out why failed.
    async fn each(&self, outcomes: Vec<RowOutcome>) -> Vec<Answer> {
        let asking = Instant::now();
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            answers.push(match outcome {
                Ok(recorded) => Ok(recorded),
                Err(failure) if failure.kind == Kind::Permanent => Err((failure, Blame::Post)),
                Err(failure) => {
                    let blame = self.whom(&failure, asking).await;
                    Err((failure, blame))
                }
            });
        }
        answers
    }

    /// Which posts a failure affects that occurred while `asking`.
    pub async fn whom(&self, failure: &Failure, asking: Instant) -> Blame {
        blame(failure, &self.ask(asking).await)
    }

    /// Waits until the rows of abandoned statements are not locked any more.
    pub async fn given_up_ended(&self) {
        self.store.given_up_ended().await;
    }

    async fn insert(&self, rows: &[Row]) -> Inserted {
        metrics::histogram!("sluice_group_rows").record(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let insert = async {
            failpoint::reach(failpoint::STORE);
            rows.iter().for_each(|row| failpoint::reach_with(failpoint::STORE, &row.post.title));
            self.store.insert(rows, &self.worker).await
        };
        AssertUnwindSafe(insert).catch_unwind().await.unwrap_or_else(panicked)
    }

    /// Whether the table accepts a test row; a result that arrived after `since` is enough. Only one test runs at a
    /// time, in its own task: if a caller stops waiting, the result is kept for the next one.
    async fn ask(&self, since: Instant) -> Plain {
        let (store, asked) = (Arc::clone(&self.store), Arc::clone(&self.asked));
        let asking = tokio::spawn(async move {
            let mut asked = asked.lock().await;
            if let Some(Asked { at, plain }) = &*asked
                && *at >= since
            {
                return plain.clone();
            }
            let plain = store.probe().await;
            *asked = Some(Asked { at: Instant::now(), plain: plain.clone() });
            plain
        });
        // It ends only with the runtime or by a panic: then nothing is known, and no post is at fault.
        asking.await.unwrap_or_else(|ended| Err(Failure::timed_out("mysql", &ended.to_string(), PATIENCE)))
    }

    /// If a connection breaks on a single row, the size of the row may be the cause.
    fn told(&self, row: &Row, failure: Failure) -> Failure {
        match failure.is_unanswered() {
            true => self.store.too_large(row).unwrap_or(failure),
            false => failure,
        }
    }

    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store(usual / 5 * 4 + took / 5, Ordering::Relaxed);
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> Inserted {
    Err(Failure::panicked("store", &*panic))
}
