//! What a worker shows of itself: its pages, its metrics, its use of the processor, its lines.

use std::time::Duration;

use sluice_lab::testing::Program;

/// The kernel counts processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Where a worker says that it shows its signs of life.
pub(crate) async fn address(worker: &Program) -> String {
    worker.says("address=", 1).await;
    let said = worker.said();
    let address = said.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
    address.expect("it says where").to_owned()
}

/// Status and body of one of its pages.
pub(crate) async fn page(worker: &Program, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{}{path}", address(worker).await)).await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.text().await.expect("a whole answer"))
}

/// One of its metrics; 0 while it has not been counted yet.
pub(crate) async fn metric(worker: &Program, name: &str) -> f64 {
    let (_, metrics) = page(worker, "/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.trim().parse().expect("a number"))
}

/// What a process did during a while.
#[derive(Debug)]
pub(crate) struct Use {
    /// The share of one core that it used.
    pub(crate) core: f64,
    /// Log lines a second.
    pub(crate) lines: f64,
}

/// Watches a process for so long.
pub(crate) async fn watch(worker: &Program, during: Duration) -> Use {
    let (lines, worked) = (worker.said().lines().count(), processor_time(worker.pid()));
    tokio::time::sleep(during).await;
    let (more_lines, more_work) = (worker.said().lines().count(), processor_time(worker.pid()));
    let seconds = during.as_secs_f64();
    Use { core: (more_work - worked).as_secs_f64() / seconds, lines: (more_lines - lines) as f64 / seconds }
}

/// User and system time, of `pid (name) state ppid …`: the twelfth and thirteenth after the name.
fn processor_time(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<_> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u32>().expect("a number");
    TICK * (ticks(11) + ticks(12))
}
