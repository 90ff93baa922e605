//! The way through the table: page after page, batch after batch.

use std::time::{Duration, Instant};

use sluice_core::failure::Failure;
use sluice_mysql::{Prune, Store};
use sluice_runtime::output::report;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::tally::{Tally, posts};

/// How many posts are read at once.
const PAGE: u32 = 5_000;
/// How often the way so far is said.
const SAID: Duration = Duration::from_secs(10);

/// One prune on its way.
pub(super) struct Pass<'a> {
    store: &'a Store,
    prune: &'a Prune,
    /// Whether nothing is to be changed.
    planned: bool,
    pace: Pace,
    tally: Tally,
    began: Instant,
    said: Instant,
}

impl<'a> Pass<'a> {
    /// One with batches of at most so many posts.
    pub(super) fn new(store: &'a Store, prune: &'a Prune, most: u32, planned: bool) -> Self {
        let now = Instant::now();
        Self { store, prune, planned, pace: Pace::new(most), tally: Tally::default(), began: now, said: now }
    }

    /// Goes through the table, to its end or until the stop, which never cuts a batch short.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn run(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let mut after = String::new();
        loop {
            let began = Instant::now();
            let page = self.store.prune_page(self.prune, &after, PAGE).await?;
            self.tally.seen += page.seen;
            rest(began.elapsed(), stop).await;
            let mut old = page.old.as_slice();
            while !old.is_empty() && !stop.is_cancelled() {
                let (batch, others) = old.split_at(self.pace.posts().min(old.len()));
                old = others;
                let began = Instant::now();
                self.tally.add(self.store.prune_batch(self.prune, batch, self.planned).await?);
                rest(self.pace.took(began.elapsed()), stop).await;
                self.say();
            }
            self.say();
            if stop.is_cancelled() {
                return Ok(());
            }
            let Some(next) = page.next else { break };
            after = next;
        }
        self.tally.complete = true;
        Ok(())
    }

    /// What was done so far.
    pub(super) fn tally(&self) -> Tally {
        Tally { took: self.began.elapsed(), ..self.tally.clone() }
    }

    fn say(&mut self) {
        if self.said.elapsed() >= SAID {
            self.said = Instant::now();
            let done = if self.planned { "would be deleted" } else { "deleted" };
            report!("{} read, {} {done} so far", posts(self.tally.seen), self.tally.pruned);
        }
    }
}

/// Leaves the database to others for a while.
async fn rest(time: Duration, stop: &CancellationToken) {
    let _ = stop.run_until_cancelled(tokio::time::sleep(time)).await;
}
