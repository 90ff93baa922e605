//! Who is told how an operation goes: a person or a program at the command line, or those who look at a page.

use std::sync::Arc;

use super::progress::Progress;

/// Who is told.
#[derive(Clone)]
pub(crate) enum Audience {
    /// Stdout and stderr.
    Terminal {
        /// Whether stdout gets one JSON object for each dead letter.
        json: bool,
    },
    /// Whoever looks.
    Page(Arc<Progress>),
}

impl Audience {
    /// Whether stdout gets JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Terminal { json: true })
    }

    /// What the pages show, where it is for them.
    pub(crate) fn page(&self) -> Option<&Progress> {
        match self {
            Self::Terminal { .. } => None,
            Self::Page(progress) => Some(progress),
        }
    }
}
