//! What `/metrics` shows, and what is wrong with a question that is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use regex::Regex;

use super::expression::Names;
use super::files::{Question, jobs, root};

/// Labels that Prometheus adds to every series.
const ADDED: [&str; 2] = ["instance", "job"];

/// Metrics that are not ours, with their labels. `ops/deploy/check --containers` asks a RabbitMQ for them.
const FOREIGN: [(&str, &[&str]); 2] = [("up", &[]), ("rabbitmq_detailed_queue_messages", &["queue", "vhost"])];

/// Metrics with their labels, and the values of each.
#[derive(Debug, Default)]
pub(crate) struct Shown(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Shown {
    /// Nothing yet, except for what is not ours.
    pub(crate) fn new() -> Self {
        let metrics = FOREIGN.map(|(metric, labels)| {
            (metric.to_owned(), labels.iter().map(|label| ((*label).to_owned(), BTreeSet::new())).collect())
        });
        Self(metrics.into())
    }

    /// Adds a page: `name{label="value",…} number`, or `name number`.
    pub(crate) fn add(&mut self, page: &str) {
        for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (series, _) = line.rsplit_once(' ').expect("a number after the name");
            let (metric, labels) = series.split_once('{').unwrap_or((series, "}"));
            let known = self.0.entry(metric.to_owned()).or_default();
            for part in labels.trim_end_matches('}').split("\",").filter(|part| !part.is_empty()) {
                let (label, value) = part.split_once("=\"").expect("a label has a value");
                known.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
            }
        }
    }

    /// What this question names and nobody shows.
    pub(crate) fn complaints(&self, question: &Question) -> Vec<String> {
        let names = Names::of(&question.expression);
        let mut complaints = Vec::new();
        if names.metrics.is_empty() {
            complaints.push("asks for no metric".to_owned());
        }
        let mut known: BTreeSet<&str> = ADDED.into();
        known.extend(question.expression.contains("_bucket").then_some("le"));
        for (metric, conditions) in &names.metrics {
            let Some(labels) = self.0.get(metric) else {
                complaints.push(format!("nobody shows {metric}"));
                continue;
            };
            known.extend(labels.keys().map(String::as_str));
            for (label, operator, value) in conditions {
                match labels.get(label) {
                    _ if label == "job" => complaints.extend(unknown_job(value)),
                    None => complaints.push(format!("{metric} has no label {label}")),
                    // Of what is not ours, only the names of the labels are known.
                    Some(values) if values.is_empty() => {}
                    Some(values) => complaints.extend(unknown(values, operator, value)),
                }
            }
        }
        let unknown = |label: &&String| !known.contains(label.as_str());
        complaints.extend(names.grouping.iter().filter(unknown).map(|label| format!("groups by {label}, unknown")));
        let left = names.left;
        let lost =
            |label: &&String| left.as_ref().map_or(!known.contains(label.as_str()), |left| !left.contains(label));
        complaints.extend(question.labels.iter().filter(lost).map(|label| format!("its answer has no label {label}")));
        complaints
    }
}

fn whole(value: &str) -> Regex {
    Regex::new(&format!("^(?:{value})$")).expect("a valid pattern")
}

fn unknown_job(value: &str) -> Option<String> {
    let pattern = whole(value);
    let known = jobs().iter().any(|job| pattern.is_match(job));
    (!known).then(|| format!("no job is called {value}"))
}

/// Each alternative of a value is shown, or stands in the code of a program: not everything can be made to happen here.
fn unknown(values: &BTreeSet<String>, operator: &str, value: &str) -> Option<String> {
    let alternatives: Vec<&str> = if operator.ends_with('~') { value.split('|').collect() } else { vec![value] };
    let is_known = |alternative: &&&str| {
        values.iter().any(|value| whole(alternative).is_match(value)) || stands_in_the_code(alternative)
    };
    let missing = alternatives.iter().find(|alternative| !is_known(alternative))?;
    Some(format!("the value {missing} is neither shown nor in the code"))
}

fn stands_in_the_code(value: &str) -> bool {
    let quoted = format!("\"{value}\"");
    let mut open: Vec<PathBuf> =
        ["common/runtime/src", "producer/src", "workers/src"].into_iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if fs::read_to_string(&path).is_ok_and(|text| text.contains(&quoted)) {
                return true;
            }
        }
    }
    false
}
