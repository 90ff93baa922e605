//! The case opener: one task that opens the cases of held posts, for all consumers of the process.
//!
//! It runs beside the recorder, so that posts that are not held wait for nobody's case. It takes whatever the recorder
//! has handed over, and continues without a group that takes long. A held post is acknowledged only after it has a
//! case; every statement can be repeated, so a post that is redelivered finds its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sluice_core::disposition::Blame;
use sluice_core::failure::Failure;
use sluice_core::post::PostId;
use sluice_mysql::review::HeldPost;
use sluice_mysql::{Recorded, Store};
use sluice_runtime::failpoint;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::writer::{Answer, Writer};

/// The most posts that are taken at once.
const AT_ONCE: usize = 500;
/// How long the others wait for a group.
const QUICK: Duration = Duration::from_millis(200);
/// How many groups that take longer may be under way besides.
const ASIDE: usize = 2;

/// If there is no case, why, and whom that hits.
type Opened = Result<(), (Failure, Blame)>;

/// A post that is stored.
pub enum Stored {
    /// Just now, and held: its row is known.
    Held(HeldPost),
    /// Before: its row says whether it is held.
    Before(PostId),
}

impl Stored {
    fn recorded(&self) -> Recorded {
        match self {
            Self::Held(_) => Recorded::Inserted,
            Self::Before(_) => Recorded::AlreadyRecorded,
        }
    }
}

/// A stored post that may be held, and who waits for it.
pub struct CaseJob {
    /// The post.
    pub stored: Stored,
    /// Who waits until it has a case, if it is held.
    pub answer: oneshot::Sender<Answer>,
}

/// The way to the case opener's task. It ends when its last handle is dropped.
#[derive(Clone)]
pub struct CaseOpener {
    // Never more of them than posts in flight.
    jobs: mpsc::UnboundedSender<CaseJob>,
}

impl CaseOpener {
    /// Starts the task. The writer knows whom a failure hits.
    #[must_use]
    pub fn start(store: Arc<Store>, writer: Arc<Writer>) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run(waiting, Arc::new(Opening { store, writer })));
        Self { jobs }
    }

    /// Makes sure that each of these posts has a case if its row says that it is held, and then answers.
    pub fn open(&self, jobs: impl IntoIterator<Item = CaseJob>) {
        // The task ends only with the runtime; whoever waits is told by the end of its channel.
        jobs.into_iter().for_each(|job| drop(self.jobs.send(job)));
    }
}

impl CaseJob {
    fn answer(self, opened: Opened) {
        let _ = self.answer.send(opened.map(|()| self.stored.recorded()));
    }
}

/// What opens cases, and finds out whom a failure hits.
struct Opening {
    store: Arc<Store>,
    writer: Arc<Writer>,
}

async fn run(mut waiting: mpsc::UnboundedReceiver<CaseJob>, opening: Arc<Opening>) {
    let aside = Arc::new(Semaphore::new(ASIDE));
    let mut jobs = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut jobs, AT_ONCE).await > 0 {
        let jobs = std::mem::replace(&mut jobs, Vec::with_capacity(AT_ONCE));
        let mut group = tokio::spawn(Arc::clone(&opening).group(jobs));
        // What takes long by one post's fault, or is split, keeps the others waiting no longer than this.
        if tokio::time::timeout(QUICK, &mut group).await.is_err()
            && let Ok(turn) = Arc::clone(&aside).acquire_owned().await
        {
            tokio::spawn(async move {
                let _ = group.await;
                drop(turn);
            });
        }
    }
}

impl Opening {
    /// Opens the cases of a group and answers all who wait.
    async fn group(self: Arc<Self>, jobs: Vec<CaseJob>) {
        let stored: Vec<&Stored> = jobs.iter().map(|job| &job.stored).collect();
        match self.open(&stored).await {
            // One of them is at fault: it fails alone, the others get their cases.
            Err((_, Blame::Post)) if jobs.len() > 1 => {
                for job in jobs.into_iter().filter(|job| !job.answer.is_closed()) {
                    let opened = self.open(&[&job.stored]).await;
                    job.answer(opened);
                }
            }
            opened => jobs.into_iter().for_each(|job| job.answer(opened.clone())),
        }
    }

    async fn open(&self, stored: &[&Stored]) -> Opened {
        let asking = Instant::now();
        let opened = AssertUnwindSafe(open(&self.store, stored)).catch_unwind().await;
        match opened.unwrap_or_else(|panic| Err(Failure::panicked("case", &*panic))) {
            Ok(()) => Ok(()),
            Err(failure) => {
                let blame = self.writer.whom(&failure, asking).await;
                Err((failure, blame))
            }
        }
    }
}

/// Opens a case for each of these posts that is held and has none.
async fn open(store: &Store, stored: &[&Stored]) -> Result<(), Failure> {
    let before = |stored: &&Stored| match stored {
        Stored::Before(post) => Some(*post),
        Stored::Held(_) => None,
    };
    let before: Vec<PostId> = stored.iter().filter_map(before).collect();
    let found = store.held_without_case(&before).await?;
    let known = stored.iter().filter_map(|stored| match stored {
        Stored::Held(held) => Some(held),
        Stored::Before(_) => None,
    });
    let held: Vec<&HeldPost> = known.chain(&found).collect();
    if held.is_empty() {
        return Ok(());
    }
    failpoint::reach(failpoint::CASE);
    held.iter().for_each(|post| failpoint::reach_with(failpoint::CASE, &post.title));
    let case = |post: &&HeldPost| post.case(sluice_review::fingerprint(&post.title, &post.content));
    let opened = store.open_cases(&held.iter().map(case).collect::<Vec<_>>()).await?;
    metrics::counter!("sluice_review_cases_opened_total").increment(opened);
    Ok(())
}
