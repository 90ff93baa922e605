//! One value, taken again and again while somebody looks at it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long after the last look the value is still taken.
const UNWATCHED: Duration = Duration::from_secs(15);
/// How long a viewer waits for the first value, or for one that is not from an earlier watch.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where values come from.
pub(crate) trait Source: Send + 'static {
    /// One of them.
    type Value: Send + Sync + 'static;

    /// Takes the next.
    fn take(&mut self) -> impl Future<Output = Self::Value> + Send;

    /// How long to rest after one that took so long.
    fn rest(&self, took: Duration) -> Duration;
}

/// The value that all viewers share.
pub(crate) struct Watched<S: Source> {
    latest: watch::Sender<Option<(Instant, Arc<S::Value>)>>,
    state: Mutex<State<S>>,
    hurry: Notify,
    stop: CancellationToken,
}

struct State<S> {
    /// Nobody takes values now.
    idle: Option<S>,
    looked: Instant,
}

impl<S: Source> Watched<S> {
    /// Nothing is taken before somebody looks.
    pub(crate) fn new(source: S, stop: CancellationToken) -> Arc<Self> {
        let state = Mutex::new(State { idle: Some(source), looked: Instant::now() });
        Arc::new(Self { latest: watch::Sender::new(None), state, hurry: Notify::new(), stop })
    }

    /// The latest value; none: the first one takes long.
    pub(crate) async fn look(self: &Arc<Self>) -> Option<Arc<S::Value>> {
        let begun = self.watch();
        let mut latest = self.latest.subscribe();
        let fresh = |seen: &Option<(Instant, Arc<S::Value>)>| match (seen, begun) {
            (Some((taken, _)), Some(begun)) => *taken >= begun,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let _ = tokio::time::timeout(PATIENCE, latest.wait_for(fresh)).await;
        self.latest()
    }

    /// The latest value, without being a viewer.
    pub(crate) fn latest(&self) -> Option<Arc<S::Value>> {
        self.latest.borrow().as_ref().map(|(_, value)| Arc::clone(value))
    }

    /// Takes the next one without a rest.
    pub(crate) fn hurry(self: &Arc<Self>) {
        self.watch();
        self.hurry.notify_one();
    }

    /// Notes that somebody looks. If nobody did before, starts to take values, and gives when.
    pub(crate) fn watch(self: &Arc<Self>) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.looked = now;
        let source = state.idle.take()?;
        tokio::spawn(Arc::clone(self).take(source));
        Some(now)
    }

    async fn take(self: Arc<Self>, mut source: S) {
        loop {
            let begun = Instant::now();
            let value = source.take().await;
            self.latest.send_replace(Some((Instant::now(), Arc::new(value))));
            let rest = source.rest(begun.elapsed());
            let hurried = tokio::select! {
                () = tokio::time::sleep(rest) => false,
                () = self.hurry.notified() => true,
                () = self.stop.cancelled() => return,
            };
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if !hurried && state.looked.elapsed() > UNWATCHED.max(rest) {
                state.idle = Some(source);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers(u32);

    impl Source for Numbers {
        type Value = u32;

        async fn take(&mut self) -> u32 {
            self.0 += 1;
            self.0
        }

        fn rest(&self, _: Duration) -> Duration {
            Duration::from_secs(5)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_viewers_cost_one_value_and_none_cost_none() {
        let watched = Watched::new(Numbers(0), CancellationToken::new());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(watched.latest().as_deref(), None, "nobody looks");
        assert_eq!(watched.look().await.as_deref(), Some(&1));
        tokio::time::sleep(Duration::from_millis(500)).await;
        for second in 0..20 {
            for viewer in 0..10 {
                let seen = watched.look().await.expect("it is there");
                assert_eq!(*seen, second / 5 + 1, "viewer {viewer} after {second} s");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
        let last = *watched.latest().expect("it stays");
        assert!(last <= 8, "{last}: nobody looks any more");
        assert_eq!(*watched.look().await.expect("again"), last + 1, "a new viewer does not get the old one");
        watched.hurry();
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(*watched.look().await.expect("again"), last + 2);
    }
}
