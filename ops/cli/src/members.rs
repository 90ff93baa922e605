//! On which nodes of a cluster the queues are kept: asked of RabbitMQ's management API, because AMQP has no question
//! for it. Without its address nothing is asked.

use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sluice_core::config::{BrokerArgs, SecretUrl};
use sluice_https::Client;
use sluice_rabbit::topology::Topology;
use url::Url;

use crate::visible::{line, shell_word};

/// The longest wait for one answer, and how much of it is read.
const TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_MAX_BYTES: usize = 1024 * 1024;
/// A queue has at most so many members, as RabbitMQ itself advises.
const MEMBERS_MAX: usize = 5;
const EXAMPLE: &str = "http://user:password@host:15672";

/// Where the management API is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ManagementArgs {
    /// RabbitMQ management URL, to check the queues' members on a cluster: http://user:password@host:15672
    ///
    /// AMQP does not tell on which nodes the queues are kept. The user needs the tag `monitoring`.
    #[arg(long, env = "SLUICE_MANAGEMENT_URL", hide_env_values = true, value_name = "URL")]
    management_url: Option<SecretUrl>,
}

/// The management API of the broker of these queues.
pub(crate) struct Management {
    client: Client,
    url: Url,
    /// The virtual host, as it is written in an address.
    vhost: String,
    queues: [String; 2],
}

/// A cluster, and the members of the queues there.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    queues: Vec<Queue>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Node {
    name: String,
    #[serde(default)]
    running: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Queue {
    name: String,
    #[serde(default)]
    members: Vec<String>,
    /// Those of them that run.
    #[serde(default)]
    online: Vec<String>,
}

impl Management {
    /// The one that the settings name, if any.
    ///
    /// # Errors
    /// When an address is wrong.
    pub(crate) fn new(args: &ManagementArgs, broker: &BrokerArgs) -> anyhow::Result<Option<Self>> {
        let Some(url) = &args.management_url else { return Ok(None) };
        let url = url.parsed("SLUICE_MANAGEMENT_URL", &["http", "https"], EXAMPLE)?;
        let amqp = broker.amqp_url.nodes("AMQP_URL", &["amqp", "amqps"], "amqp://user:password@host:5672/%2f")?;
        let vhost = amqp.first().map_or("", Url::path).trim_start_matches('/');
        let vhost = if vhost.is_empty() { "%2f" } else { vhost }.to_owned();
        let topology = Topology::new(broker);
        let queues = [topology.queue(), topology.dead_letter_queue()];
        Ok(Some(Self { client: Client::new(url.scheme() == "https")?, url, vhost, queues }))
    }

    /// Asks.
    ///
    /// # Errors
    /// When it does not answer, refuses, or there is no such queue.
    pub(crate) async fn ask(&self) -> anyhow::Result<Cluster> {
        let nodes = self.get("nodes?columns=name,running").await?;
        let mut queues = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            queues.push(self.get(&format!("queues/{}/{queue}?columns=name,members,online", self.vhost)).await?);
        }
        Ok(Cluster { nodes, queues })
    }

    async fn get<T: DeserializeOwned>(&self, what: &str) -> anyhow::Result<T> {
        let (user, password) = (decoded(self.url.username()), decoded(self.url.password().unwrap_or_default()));
        let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or(80));
        let at = format!("{}://{host}:{port}{}", self.url.scheme(), self.url.path().trim_end_matches('/'));
        let request = Request::get(format!("{at}/api/{what}"))
            .header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
            .body(String::new())?;
        let asked = async {
            let answer = self.client.send(request).await.map_err(anyhow::Error::msg)?;
            match answer.status() {
                StatusCode::OK => {}
                status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    bail!("{status}; check user and password, and that the user has the tag `monitoring`")
                }
                StatusCode::NOT_FOUND => bail!("there is no {what}; is it the management API of this broker?"),
                status => bail!("{status}"),
            }
            let body = Limited::new(answer.into_body(), ANSWER_MAX_BYTES)
                .collect()
                .await
                .map_err(anyhow::Error::from_boxed)?;
            // RabbitMQ 3.10 gives some keys twice, which only an object without a type takes.
            let object = serde_json::from_slice::<serde_json::Value>(&body.to_bytes());
            object.and_then(serde_json::from_value).context("its answer is not that of a management API")
        };
        let answered =
            tokio::time::timeout(TIMEOUT, asked).await.with_context(|| format!("no answer within {TIMEOUT:?}"));
        answered
            .and_then(|answered| answered)
            .with_context(|| format!("cannot use RabbitMQ's management API at {at} (SLUICE_MANAGEMENT_URL)"))
    }
}

impl Cluster {
    /// What is wrong, a line each, with what to do.
    pub(crate) fn problems(&self) -> Vec<String> {
        let down = self.nodes.iter().filter(|node| !node.running);
        let mut problems: Vec<String> =
            down.map(|node| format!("node {} is down: start it", line(&node.name))).collect();
        for queue in &self.queues {
            problems.extend(self.minority(queue));
            problems.extend(self.too_few(queue));
        }
        problems
    }

    fn minority(&self, Queue { name, members, online }: &Queue) -> Option<String> {
        let gone: Vec<String> =
            members.iter().filter(|member| !online.contains(member)).map(|member| line(member)).collect();
        let minority = online.len() * 2 <= members.len() && !members.is_empty();
        minority.then(|| {
            let (name, up, of) = (line(name), online.len(), members.len());
            format!("{name} has no leader: {up} of {of} members are running; start {}", gone.join(", "))
        })
    }

    fn too_few(&self, Queue { name, members, .. }: &Queue) -> Option<String> {
        let wanted = self.nodes.len().min(MEMBERS_MAX);
        let node = self.nodes.iter().find(|node| !members.contains(&node.name))?;
        (members.len() < wanted).then(|| {
            let (has, node, name) = (members.len(), shell_word(&node.name), line(name));
            let pattern = name.replace('.', "\\.");
            format!(
                "{name} has {has} of {wanted} members: `rabbitmq-queues grow {node} all --queue-pattern '^{pattern}$'` \
                 adds one"
            )
        })
    }
}

/// A user or a password, which an address holds percent-encoded.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(running: [bool; 3], members: &[&str], online: &[&str]) -> Cluster {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let nodes = ["a", "b", "c"].iter().zip(running);
        Cluster {
            nodes: nodes.map(|(name, running)| Node { name: (*name).to_owned(), running }).collect(),
            queues: vec![Queue { name: "q".to_owned(), members: names(members), online: names(online) }],
        }
    }

    #[test]
    fn what_is_wrong_with_a_cluster_is_named_with_what_to_do() {
        let all = ["a", "b", "c"];
        assert_eq!(cluster([true; 3], &all, &all).problems(), [""; 0]);
        assert_eq!(cluster([true, true, false], &all, &["a", "b"]).problems(), ["node c is down: start it"]);
        let gone = cluster([true, false, false], &all, &["a"]).problems();
        assert_eq!(gone[2], "q has no leader: 1 of 3 members are running; start b, c");
        let few = cluster([true; 3], &["a"], &["a"]).problems();
        let grow = "q has 1 of 3 members: `rabbitmq-queues grow b all --queue-pattern '^q$'` adds one";
        assert_eq!(few, [grow]);
    }
}
