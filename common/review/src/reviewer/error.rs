//! Why the outside reviewer gave no answer that can be used. Each has a name of its own, which becomes the reason on
//! the post's row: whoever looks at a held post sees that it was the reviewer, not the post.

use std::time::Duration;

/// Why there is no opinion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewerError {
    /// No whole answer within the time.
    #[error("no complete answer within {0:?}")]
    Timeout(Duration),
    /// No connection, or one that ended before the answer did.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// An answer, but not a success; a redirect too, which is not followed.
    #[error("answered with HTTP status {0}")]
    Status(u16),
    /// A success whose body is not what was asked for.
    #[error("its answer cannot be used: {0}")]
    Malformed(String),
    /// Another model answered than the one whose judgements this site has settled on.
    #[error("the model {found:?} answered, not {wanted:?}; SLUICE_REVIEWER_MODEL names the one to expect")]
    WrongModel {
        /// The setting.
        wanted: String,
        /// What the answer said.
        found: String,
    },
    /// All slots were taken for too long.
    #[error("no request slot was free for {0:?}")]
    Busy(Duration),
    /// It failed too often in a row, and is left alone for a while.
    #[error("not asked, because of too many consecutive failures")]
    CircuitOpen,
}

impl ReviewerError {
    /// Its name as a reason's rule and in metrics.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Timeout(_) => "reviewer_timeout".to_owned(),
            Self::Unreachable(_) => "reviewer_unreachable".to_owned(),
            Self::Status(status) => format!("reviewer_status_{status}"),
            Self::Malformed(_) => "reviewer_malformed".to_owned(),
            Self::WrongModel { .. } => "reviewer_wrong_model".to_owned(),
            Self::Busy(_) => "reviewer_busy".to_owned(),
            Self::CircuitOpen => "reviewer_circuit_open".to_owned(),
        }
    }

    /// What it says of the service: `true`, it is not well; `false`, it is; `None`, nothing. A post that it cannot read
    /// is the post's fault, and being asked too much ours.
    #[must_use]
    pub(super) fn blames_the_service(&self) -> Option<bool> {
        match self {
            Self::Status(400 | 413 | 422) => Some(false),
            Self::Timeout(_)
            | Self::Unreachable(_)
            | Self::Status(_)
            | Self::Malformed(_)
            | Self::WrongModel { .. } => Some(true),
            Self::Busy(_) | Self::CircuitOpen => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_that_it_cannot_read_does_not_count_against_the_service() {
        assert_eq!([400, 413, 422].map(|status| ReviewerError::Status(status).blames_the_service()), [Some(false); 3]);
        assert_eq!(
            [302, 401, 429, 500].map(|status| ReviewerError::Status(status).blames_the_service()),
            [Some(true); 4]
        );
        assert_eq!(ReviewerError::Busy(Duration::ZERO).blames_the_service(), None);
    }
}
