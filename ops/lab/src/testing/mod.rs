//! What tests share: names of their own on the test servers, programs that they start and end, a network that can be
//! broken on purpose.

mod authority;
mod clock;
mod ground;
mod port;
mod program;
mod proxy;
mod queues;
mod stranger;

pub use authority::{Authority, Identity};
pub use clock::Clock;
pub use ground::Ground;
pub use port::Port;
pub use program::Program;
pub use proxy::Proxy;
pub use stranger::{Strange, Stranger};

use std::time::{Duration, Instant};

/// How long a test waits for what must happen, on a busy machine: longer than any wait of the programs themselves, which
/// start a worker that dies again and again only after up to 30 s. The test runner ends a test after 120 s.
pub const DEADLINE: Duration = Duration::from_secs(100);

/// What a busy machine may add to a promised time. Small enough that waiting for the next timeout instead (5 s for a
/// statement, 10 s for a heartbeat) is still noticed, unless the machine is so crowded that everything takes longer.
const BUSY: Duration = Duration::from_secs(3);

/// How many times longer everything may take now: one, unless far more tasks want a processor than the tests themselves
/// would run. Where the load is not known, one.
fn crowded() -> f64 {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_ref().and_then(|load| load.split(' ').next()?.parse::<f64>().ok()).unwrap_or(0.0);
    let processors = std::thread::available_parallelism().map_or(1.0, |processors| processors.get() as f64);
    (load / (2.0 * processors)).max(1.0)
}

/// Checks that something took no longer than promised, plus what a busy machine adds.
///
/// # Panics
/// When it took longer; says what.
pub fn in_time(what: impl std::fmt::Display, took: Duration, promised: Duration) {
    assert!(took <= promised + BUSY.mul_f64(crowded()), "{what}: {took:?}, promised were {promised:?}");
}

/// Asks again and again until the answer is there.
///
/// # Panics
/// When it is not there within [`DEADLINE`], or longer on a crowded machine; says what was waited for and what was seen
/// last.
pub async fn eventually<T, E: std::fmt::Debug>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        let seen = match ask().await {
            Ok(answer) => return answer,
            Err(seen) => seen,
        };
        let waited = begun.elapsed();
        assert!(
            waited < DEADLINE || waited < DEADLINE.mul_f64(crowded()),
            "waited {waited:.0?} for {what}; last seen: {seen:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
