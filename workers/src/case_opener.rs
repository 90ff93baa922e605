//! The case opener: one task that opens the cases of held posts, for all consumers of the process.
//!
//! Beside the recorder, so that the posts that are not held wait for nobody's case. As the recorder it takes whatever
//! is waiting at once. A held post is acknowledged only after it has a case; every statement can be repeated, so a post
//! that comes back finds its own.

use std::sync::Arc;

use sluice_core::disposition::Blame;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::PostId;
use sluice_mysql::Store;
use sluice_mysql::review::HeldPost;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::writer::Writer;

/// The most posts that are taken at once.
const AT_ONCE: usize = 500;

/// If there is no case, why, and whom that hits.
type Opened = Result<(), (Failure, Blame)>;

/// A stored post that may be held, and who waits for its case.
struct Job {
    post: PostId,
    answer: oneshot::Sender<Opened>,
}

/// The way to the case opener's task. It ends when its last handle is dropped.
#[derive(Clone)]
pub struct CaseOpener {
    jobs: mpsc::Sender<Job>,
}

impl CaseOpener {
    /// Starts the task. The writer knows whom a failure hits.
    #[must_use]
    pub fn start(store: Arc<Store>, writer: Arc<Writer>) -> Self {
        let (jobs, waiting) = mpsc::channel(AT_ONCE);
        tokio::spawn(run(waiting, store, writer));
        Self { jobs }
    }

    /// Makes sure that a stored post has a case, if its row says that it is held.
    ///
    /// # Errors
    /// Why it has none, and whom that hits.
    pub async fn open(&self, post: PostId) -> Opened {
        let (answer, answered) = oneshot::channel();
        let gone = || {
            let failure = Failure::new(Kind::Dependency, "case_opener_gone", "the case opener has ended");
            (failure, Blame::EveryPost)
        };
        self.jobs.send(Job { post, answer }).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(mut waiting: mpsc::Receiver<Job>, store: Arc<Store>, writer: Arc<Writer>) {
    let mut jobs = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut jobs, AT_ONCE).await > 0 {
        let posts: Vec<PostId> = jobs.iter().map(|job| job.post).collect();
        let asking = Instant::now();
        let failed = match open(&store, &posts).await {
            Ok(()) => None,
            Err(failure) => {
                let blame = writer.whom(&failure, asking).await;
                Some((failure, blame))
            }
        };
        match failed {
            None => jobs.drain(..).for_each(|job| drop(job.answer.send(Ok(())))),
            // One of them is at fault: it fails alone, the others get their cases.
            Some((_, Blame::Post)) if jobs.len() > 1 => {
                for Job { post, answer } in jobs.drain(..) {
                    let asking = Instant::now();
                    let opened = match open(&store, &[post]).await {
                        Ok(()) => Ok(()),
                        Err(failure) => {
                            let blame = writer.whom(&failure, asking).await;
                            Err((failure, blame))
                        }
                    };
                    let _ = answer.send(opened);
                }
            }
            Some(failed) => jobs.drain(..).for_each(|job| drop(job.answer.send(Err(failed.clone())))),
        }
    }
}

/// Opens a case for each of these posts that is stored as held and has none.
async fn open(store: &Store, posts: &[PostId]) -> Result<(), Failure> {
    let held = store.held_without_case(posts).await?;
    if held.is_empty() {
        return Ok(());
    }
    let case = |post: HeldPost| {
        let fingerprint = sluice_review::fingerprint(&post.title, &post.content);
        post.into_case(fingerprint)
    };
    let opened = store.open_cases(&held.into_iter().map(case).collect::<Vec<_>>()).await?;
    metrics::counter!("sluice_review_cases_opened_total").increment(opened);
    Ok(())
}
