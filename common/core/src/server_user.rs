//! The users on RabbitMQ and MySQL: one for each program, and one for each kind of person who runs `sluice`.

use std::fmt;

/// Whose user on the servers it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerUser {
    /// `sluice-producer`: publishes posts to queues that are declared already.
    Producer,
    /// `sluice-worker run` with `SLUICE_MIGRATE=off`: consumes, dead-letters and stores posts.
    Worker,
    /// Declares the queues, makes the schema, operates dead letters, and runs `sluice console`.
    Operator,
    /// `sluice review`: decides cases.
    Moderator,
    /// Looks: `status`, `dlq list`, `why`, `verify`.
    Viewer,
}

impl ServerUser {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Producer, Self::Worker, Self::Operator, Self::Moderator, Self::Viewer];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Operator => "operator",
            Self::Moderator => "moderator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for ServerUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
