//! Groups that failed or took too long although the table accepts a test row: one of their rows is at fault.
//!
//! This runs separately from the recorder, which continues with the next group. A group is split until the rows at
//! fault are alone: the others are stored, those fail. A row that is slow even when alone is tried separately, so that
//! only similar rows wait for it.

use std::sync::Arc;
use std::time::Duration;

use sluice_core::disposition::Blame;
use sluice_core::failure::Failure;
use tokio::sync::Semaphore;

use crate::case_opener::CaseOpener;
use crate::group::Group;
use crate::writer::{Writer, Written};

/// How many statements of split groups run at once.
const SPLITTING: usize = 2;
/// How many slow rows are on trial at once. Together with the above, the recorder's statement and the test row, these
/// are fewer than the connections.
const TRIALS: usize = 3;
/// How long a row on trial may take: longer than the lock wait timeout, so that a locked row is recognised as such.
const TRIAL: Duration = Duration::from_secs(4);

/// Finds the rows at fault.
#[derive(Clone)]
pub struct Suspects {
    writer: Arc<Writer>,
    cases: CaseOpener,
    splitting: Arc<Semaphore>,
    trials: Arc<Semaphore>,
}

impl Suspects {
    /// The same writer and case opener that the recorder uses.
    #[must_use]
    pub fn new(writer: Arc<Writer>, cases: CaseOpener) -> Self {
        let (splitting, trials) = (Semaphore::new(SPLITTING), Semaphore::new(TRIALS));
        Self { writer, cases, splitting: Arc::new(splitting), trials: Arc::new(trials) }
    }

    /// Takes over a group; those who wait for its rows get their outcomes from here. There are never more of them than
    /// posts in flight.
    pub fn take(&self, group: Group) {
        tokio::spawn(self.clone().isolate(group));
    }

    async fn isolate(self, group: Group) {
        let mut open = group.split();
        while let Some(group) = open.pop() {
            let Ok(_turn) = self.splitting.acquire().await else { return };
            self.writer.given_up_ended().await;
            if group.is_abandoned() {
                continue;
            }
            match self.writer.write(&group.rows).await {
                Written::Answered(answers) => self.cases.open(group.answered(answers)),
                Written::Failed(_, Blame::Post) | Written::TooSlow if group.rows.len() > 1 => {
                    open.extend(group.split())
                }
                Written::Failed(failure, blame) => group.failed(&failure, blame),
                Written::TooSlow => drop(tokio::spawn(self.clone().try_alone(group))),
            }
        }
    }

    /// The trial of one row.
    async fn try_alone(self, group: Group) {
        let Ok(_turn) = self.trials.acquire().await else { return };
        self.writer.given_up_ended().await;
        if group.is_abandoned() {
            return;
        }
        match self.writer.write_within(&group.rows, TRIAL).await {
            Written::Answered(answers) => self.cases.open(group.answered(answers)),
            Written::Failed(failure, blame) => group.failed(&failure, blame),
            Written::TooSlow => {
                group.failed(&Failure::timed_out("mysql", "the insert of this post", TRIAL), Blame::Post)
            }
        }
    }
}
