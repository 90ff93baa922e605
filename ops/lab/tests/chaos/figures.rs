//! What a run showed, as numbers: a line of the table for people, an object for programs.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One run.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) scenario: String,
    pub(crate) processes: u16,
    pub(crate) seed: u64,
    /// Posts with a 202 or a receipt.
    pub(crate) accepted: u64,
    /// Posts that were sent and never accepted; they may have been taken.
    pub(crate) in_doubt: u64,
    /// Of those, how many have a row.
    pub(crate) in_doubt_recorded: u64,
    /// Answers 503.
    pub(crate) refused: u64,
    /// Connections that were refused or broke.
    pub(crate) unanswered: u64,
    /// Rows.
    pub(crate) recorded: u64,
    /// Dead letters at the end.
    pub(crate) dead: u64,
    /// Accepted posts that are nowhere.
    pub(crate) missing: u64,
    /// Posts with two rows, or with a row and a dead letter.
    pub(crate) doubled: u64,
    /// Cases of held posts.
    pub(crate) cases: u64,
    /// Decisions of moderators, undos among them.
    pub(crate) decisions: u64,
    /// Decisions that a moderator was told of and that are not there.
    pub(crate) lost_decisions: u64,
    /// Second deliveries, as the broker counted them since it was last started.
    pub(crate) redelivered: u64,
    /// Second deliveries and second submissions that found the row, as far as the processes that counted them lived to
    /// the end.
    pub(crate) already_recorded: u64,
    /// Times in seconds, each the longest.
    pub(crate) slowest_refusal: Option<f64>,
    pub(crate) slowest_accepted: Option<f64>,
    pub(crate) resumed_after_mysql: Option<f64>,
    pub(crate) resumed_after_rabbitmq: Option<f64>,
    pub(crate) resumed_after_workers: Option<f64>,
    pub(crate) accepted_again: Option<f64>,
    pub(crate) seconds: f64,
    pub(crate) schedule: Vec<String>,
    pub(crate) notes: Vec<String>,
    /// What should not be. Empty: all is well.
    pub(crate) problems: Vec<String>,
    /// What the programs said; in a file of its own.
    #[serde(skip)]
    pub(crate) said: Vec<String>,
}

const HEAD: &str = "\
| scenario | processes | accepted | in doubt (stored) | 503 | rows | dead | missing | duplicated | cases | decisions (lost) | redelivered | found again | slowest 503 | rows again after MySQL | after RabbitMQ | after workers | 202 again | seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

impl Figures {
    fn line(&self) -> String {
        let seconds = |time: Option<f64>| time.map_or("–".to_owned(), |seconds| format!("{seconds:.1} s"));
        let cells = [
            self.scenario.clone(),
            if self.processes == 0 { String::new() } else { self.processes.to_string() },
            self.accepted.to_string(),
            format!("{} ({})", self.in_doubt, self.in_doubt_recorded),
            self.refused.to_string(),
            self.recorded.to_string(),
            self.dead.to_string(),
            self.missing.to_string(),
            self.doubled.to_string(),
            self.cases.to_string(),
            format!("{} ({})", self.decisions, self.lost_decisions),
            self.redelivered.to_string(),
            self.already_recorded.to_string(),
            seconds(self.slowest_refusal),
            seconds(self.resumed_after_mysql),
            seconds(self.resumed_after_rabbitmq),
            seconds(self.resumed_after_workers),
            seconds(self.accepted_again),
            format!("{:.0}", self.seconds),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// All runs in one line, named `all`: sums of what is counted, the longest of what is timed.
    fn total(runs: &[Self]) -> Self {
        let longest = |time: fn(&Self) -> Option<f64>| runs.iter().filter_map(time).reduce(f64::max);
        let sum = |count: fn(&Self) -> u64| runs.iter().map(count).sum();
        Self {
            scenario: "all".to_owned(),
            accepted: sum(|run| run.accepted),
            in_doubt: sum(|run| run.in_doubt),
            in_doubt_recorded: sum(|run| run.in_doubt_recorded),
            refused: sum(|run| run.refused),
            unanswered: sum(|run| run.unanswered),
            recorded: sum(|run| run.recorded),
            dead: sum(|run| run.dead),
            missing: sum(|run| run.missing),
            doubled: sum(|run| run.doubled),
            cases: sum(|run| run.cases),
            decisions: sum(|run| run.decisions),
            lost_decisions: sum(|run| run.lost_decisions),
            redelivered: sum(|run| run.redelivered),
            already_recorded: sum(|run| run.already_recorded),
            slowest_refusal: longest(|run| run.slowest_refusal),
            slowest_accepted: longest(|run| run.slowest_accepted),
            resumed_after_mysql: longest(|run| run.resumed_after_mysql),
            resumed_after_rabbitmq: longest(|run| run.resumed_after_rabbitmq),
            resumed_after_workers: longest(|run| run.resumed_after_workers),
            accepted_again: longest(|run| run.accepted_again),
            seconds: runs.iter().map(|run| run.seconds).sum(),
            ..Self::default()
        }
    }
}

/// The table of all runs.
pub(crate) fn table(runs: &[Figures]) -> String {
    let mut lines: Vec<String> = runs.iter().map(Figures::line).collect();
    lines.push(Figures::total(runs).line());
    format!("{HEAD}\n{}", lines.join("\n"))
}

/// Writes what is known so far below `target/chaos`, and what the programs said; the folder.
pub(crate) fn write(label: &str, runs: &[Figures], skipped: &[String]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target folder");
    let folder = target.join("chaos").join(label);
    fs::create_dir_all(&folder).expect("the target folder is ours");
    let all = serde_json::json!({"runs": runs, "total": Figures::total(runs), "skipped": skipped});
    fs::write(folder.join("figures.json"), format!("{all:#}\n")).expect("the target folder is ours");
    fs::write(folder.join("figures.md"), table(runs) + "\n").expect("the target folder is ours");
    for run in runs {
        let log = folder.join(format!("{}-{}.log", run.scenario, run.processes));
        fs::write(log, run.problems.join("\n") + "\n\n" + &run.said.join("\n\n")).expect("the target folder is ours");
    }
    folder
}
