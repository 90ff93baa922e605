//! Tries to log in that failed: after a few under one name, the next has to wait. Names that nobody has are treated as
//! those that somebody has.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How many tries of a name are free.
const FREE: u32 = 5;
/// The longest wait.
const WAIT_MOST: Duration = Duration::from_secs(60);
/// After how long without a try a name's tries are forgotten.
const FORGET: Duration = Duration::from_secs(15 * 60);
/// How many names are remembered; beyond them all further ones count as one.
const NAMES: usize = 1000;
/// How many passwords are tried at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Tries that failed.
pub(crate) struct Tries {
    failed: Mutex<HashMap<String, Failed>>,
    /// Passwords that are tried at once.
    pub(crate) room: Semaphore,
}

#[derive(Clone, Copy)]
struct Failed {
    times: u32,
    last: Instant,
}

impl Default for Tries {
    fn default() -> Self {
        Self { failed: Mutex::default(), room: Semaphore::new(AT_ONCE) }
    }
}

impl Tries {
    /// How long this name has to wait for the next try.
    pub(crate) fn wait(&self, name: &str) -> Option<Duration> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, failed| failed.last.elapsed() < FORGET);
        let Failed { times, last } = *failed.get(name).or_else(|| failed.get(""))?;
        let wait = (times >= FREE).then(|| Duration::from_secs(1 << (times - FREE).min(6)).min(WAIT_MOST))?;
        wait.checked_sub(last.elapsed()).filter(|left| !left.is_zero())
    }

    /// One more of this name.
    pub(crate) fn failed(&self, name: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if failed.len() < NAMES || failed.contains_key(name) { name } else { "" };
        let now = Instant::now();
        let entry = failed.entry(name.to_owned()).or_insert(Failed { times: 0, last: now });
        *entry = Failed { times: entry.times.saturating_add(1), last: now };
    }

    /// It was the right password.
    pub(crate) fn succeeded(&self, name: &str) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_few_wrong_tries_the_next_one_waits_longer_and_longer() {
        let tries = Tries::default();
        for _ in 0..FREE {
            assert_eq!(tries.wait("ann"), None);
            tries.failed("ann");
        }
        assert_eq!(tries.wait("ann"), Some(Duration::from_secs(1)));
        assert_eq!(tries.wait("bob"), None, "another name is free");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tries.wait("ann"), None);
        for _ in 0..20 {
            tries.failed("ann");
        }
        assert_eq!(tries.wait("ann"), Some(WAIT_MOST), "and never longer");
        tries.succeeded("ann");
        assert_eq!(tries.wait("ann"), None);
        tries.failed("ann");
        tokio::time::advance(FORGET).await;
        assert_eq!(tries.wait("ann"), None);
    }

    #[tokio::test]
    async fn only_so_many_names_are_remembered() {
        let tries = Tries::default();
        for name in 0..2 * NAMES {
            tries.failed(&name.to_string());
        }
        assert!(tries.failed.lock().expect("nobody broke it").len() <= NAMES + 1);
        assert!(tries.wait("a name beyond them").is_some());
    }
}
