//! What is known of a stack from one run of a program to the next.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::StackError;
use super::ports;
use super::process::Mark;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RabbitmqPorts {
    pub(super) amqp: u16,
    pub(super) management: u16,
    pub(super) distribution: u16,
    pub(super) epmd: u16,
    /// Of AMQP with TLS, if the stack has certificates.
    #[serde(default)]
    pub(super) amqps: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// A value that every process of the stack has in its environment, and no other process.
    pub(super) mark: String,
    /// Whether the servers end with the process that started them.
    pub(super) bound: bool,
    pub(super) rabbitmq: RabbitmqPorts,
    pub(super) database: u16,
    /// The root that its servers are from, if they are not this machine's.
    #[serde(default)]
    pub(super) root: Option<PathBuf>,
}

impl Record {
    /// The record of a stack that is about to be started: under a new mark, on the ports it had before if it had some.
    pub(super) fn republished(before: Option<Self>, bound: bool, root: Option<PathBuf>) -> Result<Self, StackError> {
        let (rabbitmq, database) = match before {
            Some(Self { rabbitmq, database, .. }) => (rabbitmq, database),
            None => {
                let [database] = ports::draw()?;
                (RabbitmqPorts::draw()?, database)
            }
        };
        Ok(Self { mark: Mark::new().as_str().to_owned(), bound, rabbitmq, database, root })
    }
}
