//! What each user needs in RabbitMQ, and no more: regular expressions over the names of exchanges and queues.

use super::Topology;
use sluice_core::server_user::ServerUser;

/// What a user may do, as `rabbitmqctl set_permissions` takes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Permissions {
    /// What it may declare.
    pub configure: String,
    /// What it may publish to, and bind.
    pub write: String,
    /// What it may consume from, and bind to.
    pub read: String,
}

/// The queues that the broker names: those for worker status and near copies.
const BROKER_NAMED: &str = "amq\\.gen.*";
/// The exchange without a name, by which the worker status is answered.
const ANSWERS: &str = "amq\\.default";

impl Topology {
    /// The permissions of a user; `None` if it needs no RabbitMQ.
    #[must_use]
    pub fn permissions(&self, user: ServerUser) -> Option<Permissions> {
        let named = |name: String| name.replace('.', "\\.");
        let (exchange, queue) = (named(self.exchange()), named(self.queue()));
        let (dlx, dlq) = (named(self.dead_letter_exchange()), named(self.dead_letter_queue()));
        let (lock, status) = (named(self.browser_lock()), named(self.worker_status()));
        let (decisions, own) = (named(self.decisions()), BROKER_NAMED.to_owned());
        let copies = named(self.near_copies());
        let (configure, write, read) = match user {
            // RabbitMQ 4.3 tells of a queue only whoever has a permission on it. To write is the one that allows nothing:
            // to bind the queue, one has to read an exchange too.
            ServerUser::Producer => (vec![], vec![exchange, queue], vec![]),
            // Declares only what is there while a worker is. A dead letter goes by the exchange, a post that is
            // republished too.
            ServerUser::Worker => (
                vec![status.clone(), copies.clone(), own.clone()],
                vec![exchange, dlx, copies.clone(), own.clone(), ANSWERS.to_owned()],
                vec![queue, status, copies, own],
            ),
            ServerUser::Operator => (
                vec![exchange.clone(), queue.clone(), dlx.clone(), dlq.clone(), decisions.clone(), lock],
                vec![exchange.clone(), queue.clone(), dlx.clone(), dlq.clone(), decisions, status],
                vec![exchange, queue, dlx, dlq],
            ),
            ServerUser::Moderator => return None,
            // Browsing takes the dead letters and returns them, which is consuming to RabbitMQ.
            ServerUser::Viewer => (vec![lock], vec![status, queue], vec![dlq]),
        };
        Some(Permissions { configure: any(&configure), write: any(&write), read: any(&read) })
    }
}

/// Any of these names and no other; none at all if there are none.
fn any(names: &[String]) -> String {
    if names.is_empty() { "^$".to_owned() } else { format!("^({})$", names.join("|")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::config::BrokerArgs;

    #[test]
    fn a_dot_in_the_prefix_is_a_dot_and_nothing_else_is_named() {
        let prefix = "my.posts".parse().expect("a good prefix");
        let topology = Topology::new(&BrokerArgs { amqp_url: "amqp://h".into(), prefix, max_length: None });
        let producer = topology.permissions(ServerUser::Producer).expect("it publishes");
        let (none, write) = ("^$".to_owned(), "^(my\\.posts_exchange|my\\.posts_queue)$".to_owned());
        assert_eq!(producer, Permissions { configure: none.clone(), write, read: none });
        assert_eq!(topology.permissions(ServerUser::Moderator), None);
        for user in ServerUser::ALL {
            let Some(Permissions { configure, write, read }) = topology.permissions(user) else { continue };
            for expression in [configure, write, read] {
                assert!(expression.starts_with('^') && expression.ends_with('$'), "{user}: {expression}");
                assert!(!expression.contains("my.posts"), "{user}: {expression}");
            }
        }
    }
}
