//! What failed, and what kind of failure it is. The errors of each server are classified by the package that talks to
//! it.
//!
//! The nature decides how a post that fails alone is treated. Whether it fails alone is another question, which is
//! asked of the table ([`crate::disposition::blame`]): what hits every post stops the work and spends nothing.

use std::fmt;

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The post's own: it will fail the same way each time.
    Permanent,
    /// Nobody's in particular (a deadlock, a lock wait): trying again soon is likely to help.
    Transient,
    /// Something that posts depend on is down, overloaded or full. No post is to blame.
    Dependency,
    /// Something that posts depend on is set up wrongly (credentials, a missing table). No post is to blame, and only
    /// an operator can fix it.
    Operator,
}

/// One failure, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub kind: Kind,
    /// A short stable name to filter by: `malformed`, `mysql_1406`, `mysql_unreachable`, …
    pub code: String,
    /// What happened, for people. Never holds a secret.
    pub message: String,
}

impl Failure {
    /// A failure of the given kind.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into() }
    }

    /// A call that did not answer in time: its fate is unknown, and its dependency is to blame.
    pub fn timed_out(dependency: &str, what: &str, after: std::time::Duration) -> Self {
        Self::new(Kind::Dependency, format!("{dependency}_timeout"), format!("{what} timed out after {after:?}"))
    }

    /// Whether it says that a call was not answered, and nothing about what was asked.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.code.ends_with("_unreachable") || self.code.ends_with("_timeout")
    }

    /// A step that panicked on this post. The post is dead-lettered, the process goes on.
    pub fn panicked(step: &str, panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::new(Kind::Permanent, format!("{step}_panicked"), format!("the {step} step panicked: {said}"))
    }
}

impl From<crate::post::Malformed> for Failure {
    fn from(malformed: crate::post::Malformed) -> Self {
        Self::new(Kind::Permanent, malformed.code(), malformed.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
