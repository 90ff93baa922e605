//! Which broker leads a queue, and which ones keep it: as the broker itself says.

use serde::Deserialize;

use super::Cluster;
use crate::devstack::error::StackError;

/// A quorum queue as `rabbitmqctl list_queues` has it. A queue without a leader has an empty one.
#[derive(Debug, Deserialize)]
struct Queue {
    name: String,
    #[serde(default)]
    leader: String,
    #[serde(default)]
    members: Vec<String>,
}

impl Cluster {
    /// The broker that leads this quorum queue at this moment. `None`: no broker does, or there is no such queue. Takes
    /// a second or more: it asks with `rabbitmqctl`.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn leader_of(&self, queue: &str) -> Result<Option<usize>, StackError> {
        Ok(self.queue(queue).await?.and_then(|queue| self.number_of(&queue.leader)))
    }

    /// The brokers that keep this quorum queue, running or not. None if there is no such queue.
    ///
    /// # Errors
    /// When no broker answers. Each of them asks all that it takes to be up: one that was frozen or killed a moment ago
    /// makes them fail until they notice.
    pub async fn members_of(&self, queue: &str) -> Result<Vec<usize>, StackError> {
        let members = self.queue(queue).await?.map(|queue| queue.members).unwrap_or_default();
        let mut numbers: Vec<usize> = members.iter().filter_map(|member| self.number_of(member)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn number_of(&self, node: &str) -> Option<usize> {
        self.brokers.nodes.iter().position(|broker| broker.node == node)
    }

    /// Asks the brokers one after the other, but for those that cannot answer.
    async fn queue(&self, name: &str) -> Result<Option<Queue>, StackError> {
        let args = ["list_queues", "--formatter", "json", "name", "leader", "members"];
        let mut failed = StackError::NotRunning("rabbitmq");
        for (i, broker) in self.brokers.servers.iter().enumerate() {
            if !broker.is_running() || broker.is_frozen() {
                continue;
            }
            let queues = self.rabbitmqctl(i, &args).await.and_then(|said| {
                let unread = |problem: serde_json::Error| StackError::Launch {
                    program: said.clone().into(),
                    problem: problem.into(),
                };
                serde_json::from_str::<Vec<Queue>>(&said).map_err(unread)
            });
            match queues {
                Ok(queues) => return Ok(queues.into_iter().find(|queue| queue.name == name)),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}
