//! The receipts of a server: written by a thread of their own, so that no request waits for a disk.
//!
//! ```text
//!  confirmed ─► waiting (32,768 at most) ─► thread ─► file, in one write for all that wait
//! ```
//!
//! A disk that is full or gone costs no post and delays none: it is accepted, and its receipt waits. It is tried again
//! each second. Receipts for which there is no room are lost; each is counted, and the log says so. A post without a
//! receipt is a post that `sluice verify` does not miss, never one that it misses wrongly.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use metrics::{Counter, Gauge};
use sluice_core::post::PostId;
use sluice_runtime::health::Seldom;
use tokio::sync::oneshot;

use super::file::Receipts;

/// How many receipts may wait for the thread, and how many more for the disk.
const WAITING: usize = 32 * 1024;
/// The time between two tries of a file that cannot be written.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a file that still cannot be written is logged again.
const REMIND: Duration = Duration::from_secs(30);
/// How long the last receipts may take at the end.
const LAST: Duration = Duration::from_secs(5);

const RECEIPTS: &str = "sluice_receipts_total";
const UP: &str = "sluice_producer_receipts_up";

/// Where the server leaves the ids of confirmed posts.
pub struct ReceiptLog {
    /// An id, or nothing: then the thread looks at the orders.
    ids: SyncSender<Option<PostId>>,
    orders: Arc<Orders>,
    lost: Counter,
    seldom: Seldom,
}

/// What the thread is told beside the ids.
#[derive(Default)]
struct Orders {
    /// To open the file again under its name, because it was renamed.
    reopen: AtomicBool,
    /// To write what waits, and end.
    end: AtomicBool,
}

/// The end of the thread.
pub struct Ended(oneshot::Receiver<usize>);

impl ReceiptLog {
    /// Opens the file, and starts the thread.
    ///
    /// # Errors
    /// When the file cannot be written to; names it.
    pub fn open(path: &Path) -> anyhow::Result<(Self, Ended)> {
        metrics::describe_counter!(
            RECEIPTS,
            "Receipts of accepted posts: written, or lost because the file could not be"
        );
        metrics::describe_gauge!(UP, "1 while receipts can be written");
        let file = Receipts::open(path)?;
        let ((ids, waiting), (ended, end)) = (sync_channel(WAITING), oneshot::channel());
        let orders = Arc::new(Orders::default());
        let counter = |result: &'static str| metrics::counter!(RECEIPTS, "result" => result);
        let (lost, seldom) = (counter("lost"), Seldom::default());
        let writer = Writer {
            path: path.to_owned(),
            file: Some(file),
            pending: Vec::new(),
            waiting,
            orders: Arc::clone(&orders),
            failing: None,
            written: counter("written"),
            lost: lost.clone(),
            up: metrics::gauge!(UP),
        };
        let thread = std::thread::Builder::new().name("receipts".to_owned());
        thread.spawn(move || ended.send(writer.run())).context("cannot start a thread for the receipts")?;
        Ok((Self { ids, orders, lost, seldom }, Ended(end)))
    }

    /// A post was confirmed. Never waits.
    pub fn add(&self, id: PostId) {
        if self.ids.try_send(Some(id)).is_err() {
            self.lost.increment(1);
            self.seldom.happened(|times| {
                tracing::error!(
                    times,
                    "receipts were lost: their file cannot be written, and no more of them can wait"
                );
            });
        }
    }

    /// The file was renamed: a new one is begun under its name.
    pub fn reopen(&self) {
        self.order(&self.orders.reopen);
    }

    fn order(&self, order: &AtomicBool) {
        order.store(true, Ordering::Release);
        // A thread that cannot take this one either is not asleep.
        let _ = self.ids.try_send(None);
    }

    /// Writes what waits, and ends; says in the log how many receipts could not be written.
    pub async fn close(&self, ended: Ended) {
        self.order(&self.orders.end);
        match tokio::time::timeout(LAST, ended.0).await {
            Ok(Ok(0)) => {}
            Ok(Ok(lost)) => tracing::error!(lost, "receipts could not be written"),
            Ok(Err(_)) | Err(_) => tracing::error!("receipts could not be written within {LAST:?}"),
        }
    }
}

/// What the thread has.
struct Writer {
    path: PathBuf,
    /// None: it has to be opened, again, before it is written to.
    file: Option<Receipts>,
    /// Receipts that are not written yet, the oldest first.
    pending: Vec<PostId>,
    waiting: Receiver<Option<PostId>>,
    orders: Arc<Orders>,
    failing: Option<Failing>,
    written: Counter,
    lost: Counter,
    up: Gauge,
}

/// The file cannot be written.
struct Failing {
    since: Instant,
    /// When that was last logged.
    said: Instant,
    /// When it is tried again.
    again: Instant,
}

impl Writer {
    /// Writes until it is told to end; gives the number of receipts that could not be written.
    fn run(mut self) -> usize {
        self.up.set(1.0);
        loop {
            let is_left = self.wait();
            let room = WAITING.saturating_sub(self.pending.len());
            self.pending.extend(self.waiting.try_iter().take(room).flatten());
            let end = self.orders.end.load(Ordering::Acquire) || !is_left;
            if self.orders.reopen.swap(false, Ordering::Acquire) {
                self.file = None;
            }
            match self.write() {
                Ok(()) => self.recovered(),
                Err(error) => self.failed(&error),
            }
            if end {
                let left = self.pending.len() + self.waiting.try_iter().flatten().count();
                self.lost.increment(left as u64);
                return left;
            }
        }
    }

    /// Waits for something to write or to do; while the file cannot be written, until it is tried again. False when
    /// nobody is left who could give it anything.
    fn wait(&mut self) -> bool {
        let Some(Failing { again, .. }) = self.failing else {
            return self.waiting.recv().map(|id| self.pending.extend(id)).is_ok();
        };
        loop {
            let left = again.saturating_duration_since(Instant::now());
            if left.is_zero() || self.orders.end.load(Ordering::Acquire) {
                return true;
            }
            if self.pending.len() >= WAITING {
                std::thread::sleep(left.min(Duration::from_millis(100)));
                continue;
            }
            match self.waiting.recv_timeout(left) {
                Ok(id) => self.pending.extend(id),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Receipts::open(&self.path)?),
        };
        let (written, outcome) = file.write_some(&self.pending);
        self.written.increment(written as u64);
        self.pending.drain(..written);
        if outcome.is_err() {
            self.file = None;
        }
        outcome.with_context(|| format!("cannot write receipts to {}", self.path.display()))
    }

    fn failed(&mut self, error: &anyhow::Error) {
        let (now, waiting) = (Instant::now(), self.pending.len());
        let failing = self.failing.get_or_insert(Failing { since: now, said: now, again: now });
        failing.again = now + AGAIN;
        if failing.since == now || failing.said.elapsed() >= REMIND {
            failing.said = now;
            let error = format!("{error:#}");
            tracing::error!(error, waiting, "receipts cannot be written; posts are accepted all the same");
        }
        self.up.set(0.0);
    }

    fn recovered(&mut self) {
        if let Some(Failing { since, .. }) = self.failing.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(file = %self.path.display(), seconds, "receipts can be written again");
            self.up.set(1.0);
        }
    }
}
