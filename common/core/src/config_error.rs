//! A setting that is wrong.

/// A setting that is wrong: named, with what was found and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    /// The variable's name.
    pub setting: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl ConfigError {
    /// An error about one setting.
    pub fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into() }
    }

    /// An error about an address that has another form than this example.
    #[must_use]
    pub fn of_form(setting: &'static str, problem: &str, example: &str) -> Self {
        Self::new(setting, format!("{problem}; use the form {example}"))
    }
}
