//! Why some input is not a post.

use sluice_runtime::health::FieldProblem;

/// Why some input is not a post.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not JSON in UTF-8. Says where, and never repeats the text.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but not a post. Names every wrong field.
    #[error("{}", in_one_line(.0))]
    Invalid(Vec<FieldProblem>),
}

fn in_one_line(fields: &[FieldProblem]) -> String {
    fields.iter().map(|at| format!("{} {}", at.field, at.problem)).collect::<Vec<_>>().join("; ")
}
