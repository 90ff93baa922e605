//! What an expression of Prometheus names: metrics, labels, values.

use regex::Regex;

/// A condition on a label: label, operator, value.
pub(crate) type Condition = (String, String, String);

/// What one expression names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Metrics, each with its conditions on labels.
    pub(crate) metrics: Vec<(String, Vec<Condition>)>,
    /// Labels by which it groups or joins.
    pub(crate) grouping: Vec<String>,
    /// The labels that are left in its answer; `None`: all that its metrics have.
    pub(crate) left: Option<Vec<String>>,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The texts that stand between two signs, trimmed.
pub(crate) fn between(text: &str, open: &str, close: &str) -> Vec<String> {
    let parts = text.split(open).skip(1).filter_map(|part| part.split_once(close));
    parts.map(|(within, _)| within.trim().to_owned()).collect()
}

impl Names {
    /// Reads an expression. Every metric that is asked for here has the prefix of its program, or is `up`.
    pub(crate) fn of(expression: &str) -> Self {
        let metric = pattern(r#"\b((?:sluice|rabbitmq)_[a-z0-9_]+|up)\b\s*(?:\{([^}]*)\})?"#);
        let condition = pattern(r#"([a-zA-Z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)""#);
        let grouped = pattern(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)");
        // `max by (a) (…)` and `max(…)` leave only what they name; anything else leaves all.
        let aggregated = pattern(r"^(?:sum|max|min|count)\s*(?:by\s*\(([^)]*)\)\s*)?\(");
        let conditions = |text: &str| {
            condition.captures_iter(text).map(|of| (of[1].to_owned(), of[2].to_owned(), of[3].to_owned())).collect()
        };
        let metrics = metric.captures_iter(expression);
        let metrics =
            metrics.map(|of| (of[1].to_owned(), conditions(of.get(2).map_or("", |conditions| conditions.as_str()))));
        Self {
            metrics: metrics.collect(),
            grouping: grouped.captures_iter(expression).flat_map(|of| list(&of[1])).collect(),
            left: aggregated.captures(expression.trim()).map(|of| list(of.get(1).map_or("", |by| by.as_str()))),
        }
    }
}

#[test]
fn an_expression_names_its_metrics_conditions_and_groups() {
    let names = Names::of(r#"sum by (a, b) (rate(sluice_x_total{c="d", e=~"f|g"}[5m])) / on (h) up > 0"#);
    let conditions = [("c", "=", "d"), ("e", "=~", "f|g")];
    let conditions = conditions.map(|(label, is, value)| (label.to_owned(), is.to_owned(), value.to_owned()));
    assert_eq!(names.metrics, [("sluice_x_total".to_owned(), conditions.into()), ("up".to_owned(), Vec::new())]);
    assert_eq!(names.grouping, ["a", "b", "h"]);
    assert_eq!(names.left, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(Names::of("sluice_y == 1").left, None);
    assert_eq!(Names::of("max(sluice_y) > 1").left, Some(Vec::new()));
}
