//! The questions that alerts and dashboard ask of Prometheus, as their files have them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::expression::between;

/// One expression, with the texts that show labels of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The alert or the panel.
    pub(crate) of: String,
    /// The expression.
    pub(crate) expression: String,
    /// The labels that its texts name.
    pub(crate) labels: Vec<String>,
}

impl Question {
    /// All of it in one text.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.expression, self.labels.join("\n"))
    }

    /// The same with other words.
    pub(crate) fn with(&self, from: &str, to: &str) -> Self {
        let labels = self.labels.iter().map(|label| label.replace(from, to)).collect();
        Self { of: self.of.clone(), expression: self.expression.replace(from, to), labels }
    }
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is in the workspace").to_owned()
}

fn read(name: &str) -> String {
    let path = root().join("ops/deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The jobs that Prometheus is told to scrape.
pub(crate) fn jobs() -> Vec<String> {
    let text = read("prometheus/prometheus.yml");
    text.lines().filter_map(|line| line.trim().strip_prefix("- job_name: ")).map(str::to_owned).collect()
}

/// All of them.
pub(crate) fn questions() -> Vec<Question> {
    let mut questions = alerts(&read("prometheus/alerts.yml"));
    let dashboard: Value = serde_json::from_str(&read("grafana/sluice.json")).expect("the dashboard is JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        questions.extend(of_panel(panel));
    }
    questions
}

fn of_panel(panel: &Value) -> Vec<Question> {
    let of = format!("panel {}", panel["title"]);
    let targets = panel["targets"].as_array().into_iter().flatten();
    let question = |target: &Value| Question {
        of: of.clone(),
        expression: target["expr"].as_str().expect("a query has an expression").replace("$__rate_interval", "5m"),
        labels: between(target["legendFormat"].as_str().unwrap_or_default(), "{{", "}}"),
    };
    targets.map(question).collect()
}

/// Of each `- alert: NAME`: the expression, on its line or on those below `expr: |-`, and the labels of its texts.
fn alerts(text: &str) -> Vec<Question> {
    let of_one = |block: &str| {
        let (name, rest) = block.split_once('\n').expect("more than a name");
        let (_, rest) = rest.split_once("        expr: ").unwrap_or_else(|| panic!("{name} has no expression"));
        let mut lines = rest.lines();
        let first = lines.next().unwrap_or_default().trim_start_matches("|-");
        let below = lines.take_while(|line| line.starts_with("          ")).map(str::trim);
        let expression = std::iter::once(first).chain(below).collect::<Vec<_>>().join(" ");
        let shown = between(rest, "{{", "}}").into_iter();
        let labels = shown.map(|shown| shown.trim_start_matches("$labels.").to_owned()).collect();
        Question { of: format!("alert {}", name.trim()), expression, labels }
    };
    text.split("- alert: ").skip(1).map(of_one).collect()
}
