//! The recorder: one task that writes for all consumers of the process.
//!
//! It writes the waiting rows in one statement, except for the few rows beyond one of the allowed group sizes, then
//! takes what has arrived in the meantime. There is no timer, so a single post does not wait, and under load the groups
//! grow by themselves up to the number of posts in flight.
//!
//! A statement stores all its rows except those that a unique key refuses, for which the store reports the outcome; or
//! it fails, and stores none. If a group fails and the table accepts a test row, one of its rows is at fault: the group
//! goes to the suspects, where it is split until that row is alone, and the recorder continues. A row that failed
//! before starts there.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sluice_core::disposition::Blame;
use sluice_core::failure::{Failure, Kind};
use sluice_core::verdict::Verdict;
use sluice_mysql::review::HeldPost;
use sluice_mysql::{Recorded, Row, Store};
use tokio::sync::{mpsc, oneshot};

use crate::case_opener::{CaseOpener, Stored};
use crate::group::{Answer, GROUP_ROWS, Group, Job};
use crate::suspects::Suspects;
use crate::writer::{Writer, Written};

/// A handle to the recorder's task, which ends when its last handle is dropped.
#[derive(Clone)]
pub struct Recorder {
    jobs: mpsc::Sender<Job>,
    suspects: Suspects,
    cases: CaseOpener,
}

impl Recorder {
    /// Starts the task.
    #[must_use]
    pub fn start(store: Arc<Store>, worker: String) -> Self {
        let (jobs, waiting) = mpsc::channel(GROUP_ROWS);
        let writer = Arc::new(Writer::new(Arc::clone(&store), worker));
        let suspects = Suspects::new(Arc::clone(&writer));
        let cases = CaseOpener::start(store, Arc::clone(&writer));
        tokio::spawn(run(waiting, writer, suspects.clone()));
        Self { jobs, suspects, cases }
    }

    /// Stores a row, together with other waiting rows; if the post is held, a case for it exists afterwards.
    ///
    /// # Errors
    /// Why it is not stored or has no case, and which posts that affects.
    pub async fn record(&self, row: Row) -> Answer {
        let held = (row.review.verdict == Verdict::Held).then(|| HeldPost::new(&row.post, &row.review));
        let post = row.post.id;
        let recorded = self.store(row).await?;
        match (recorded, held) {
            (Recorded::Inserted, None) => {}
            (Recorded::Inserted, Some(held)) => self.cases.open(Stored::Held(held)).await?,
            // A row that already existed may have another verdict than this review.
            (Recorded::AlreadyRecorded, _) => self.cases.open(Stored::Before(post)).await?,
        }
        Ok(recorded)
    }

    async fn store(&self, row: Row) -> Answer {
        let (answer, answered) = oneshot::channel();
        // The task outlives its handles and survives panics, so its end means that the runtime ends.
        let gone = || {
            let failure = Failure::new(Kind::Dependency, "recorder_gone", "the recorder has ended");
            (failure, Blame::EveryPost)
        };
        let failed_before = row.attempts > 1;
        let job = Job { row, answer };
        if failed_before {
            self.suspects.take(Group::alone(job));
        } else {
            self.jobs.send(job).await.map_err(|_| gone())?;
        }
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(mut waiting: mpsc::Receiver<Job>, writer: Arc<Writer>, suspects: Suspects) {
    let (mut jobs, mut come) = (VecDeque::with_capacity(GROUP_ROWS), Vec::with_capacity(GROUP_ROWS));
    loop {
        let more = waiting.recv_many(&mut come, GROUP_ROWS);
        if !jobs.is_empty() {
            // The rest of the last group is written without waiting.
            let _ = more.now_or_never();
        } else if more.await == 0 {
            return;
        }
        jobs.extend(come.drain(..));
        let group = Group::next(&mut jobs, writer.packet());
        match writer.write(&group.rows).await {
            Written::Answered(answers) => group.answered(answers),
            Written::Failed(failure, Blame::EveryPost) => group.failed(&failure, Blame::EveryPost),
            // A row that fails permanently fails in the same way again.
            Written::Failed(failure, Blame::Post) if group.rows.len() == 1 && failure.kind == Kind::Permanent => {
                group.failed(&failure, Blame::Post);
            }
            Written::Failed(_, Blame::Post) | Written::TooSlow => suspects.take(group),
        }
    }
}
