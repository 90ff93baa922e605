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
//!
//! A stored post that is held is answered by the case opener, once it has a case.

use std::collections::VecDeque;
use std::sync::Arc;

use sluice_core::disposition::Blame;
use sluice_core::failure::{Failure, Kind};
use sluice_mysql::{Row, Store};
use sluice_runtime::gather::gather;
use tokio::sync::{mpsc, oneshot};

use crate::case_opener::CaseOpener;
use crate::group::{GROUP_ROWS, Group, Job};
use crate::suspects::Suspects;
use crate::writer::{Answer, Writer, Written};

/// A handle to the recorder's task, which ends when its last handle is dropped.
#[derive(Clone)]
pub struct Recorder {
    jobs: mpsc::Sender<Job>,
    suspects: Suspects,
}

impl Recorder {
    /// Starts the task.
    #[must_use]
    pub fn start(store: Arc<Store>, worker: String) -> Self {
        let (jobs, waiting) = mpsc::channel(GROUP_ROWS);
        let writer = Arc::new(Writer::new(Arc::clone(&store), worker));
        let cases = CaseOpener::start(store, Arc::clone(&writer));
        let suspects = Suspects::new(Arc::clone(&writer), cases.clone());
        tokio::spawn(run(waiting, writer, suspects.clone(), cases));
        Self { jobs, suspects }
    }

    /// Stores a row, together with other waiting rows; if the post is held, a case for it exists afterwards.
    ///
    /// # Errors
    /// Why it is not stored or has no case, and which posts that affects.
    pub async fn record(&self, row: Row) -> Answer {
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

async fn run(mut waiting: mpsc::Receiver<Job>, writer: Arc<Writer>, suspects: Suspects, cases: CaseOpener) {
    let mut jobs = VecDeque::with_capacity(GROUP_ROWS);
    loop {
        if jobs.is_empty() {
            match waiting.recv().await {
                Some(job) => jobs.push_back(job),
                None => return,
            }
        }
        // Consumers that have a delivery at hand review it meanwhile, so that groups are larger by a third.
        gather(&mut waiting, GROUP_ROWS.saturating_sub(jobs.len()), |job| jobs.push_back(job)).await;
        let group = Group::next(&mut jobs, writer.packet());
        match writer.write(&group.rows).await {
            Written::Answered(answers) => cases.open(group.answered(answers)),
            Written::Failed(failure, Blame::EveryPost) => group.failed(&failure, Blame::EveryPost),
            // A row that fails permanently fails in the same way again.
            Written::Failed(failure, Blame::Post) if group.rows.len() == 1 && failure.kind == Kind::Permanent => {
                group.failed(&failure, Blame::Post);
            }
            Written::Failed(_, Blame::Post) | Written::TooSlow => suspects.take(group),
        }
    }
}
