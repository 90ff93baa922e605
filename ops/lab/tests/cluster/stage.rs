//! Sluice on a cluster: a producer and workers that know all nodes, and a sender that notes every answer.

use std::path::Path;
use std::time::{Duration, Instant};

use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};
use sluice_lab::testing::{Ground, Program, eventually};
use sluice_mysql::Store;
use tokio_util::sync::CancellationToken;

/// Between two posts of the sender.
const PACE: Duration = Duration::from_millis(25);
/// How long the sender waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cluster, and Sluice on it.
pub(crate) struct Stage {
    pub(crate) producer: Program,
    _workers: Vec<Program>,
    /// Dropped before the servers it cleans.
    pub(crate) ground: Ground,
    pub(crate) store: Store,
    pub(crate) cluster: Cluster,
    environment: Vec<(&'static str, String)>,
}

/// What a sender saw.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) accepted: Vec<(Instant, PostId)>,
    pub(crate) refused: Vec<(Instant, String)>,
}

impl Stage {
    /// A cluster with a producer and this many workers.
    pub(crate) async fn new(options: ClusterOptions, workers: usize) -> Self {
        let (brokers, databases) = (options.brokers, options.databases);
        let cluster = Cluster::start(options).await.expect("a cluster");
        let all = |count| (0..count).collect::<Vec<usize>>();
        let one = cluster.database_url("", &[0]);
        let ground = Ground::on(&cluster.amqp_url(&all(brokers)), one.trim_end_matches('/')).await;
        let database_url = cluster.database_url(&ground.name, &all(databases));
        let store = Store::new(&DatabaseArgs { database_url: database_url.as_str().into() }).expect("a good address");
        // What one node has made is there a moment later on the others, and whoever knows all of them begins with any.
        for node in 0..databases {
            let url = cluster.database_url(&ground.name, &[node]);
            eventually("the database to be there", async || mysql_async::Conn::from_url(&url).await.map(drop)).await;
        }
        store.migrate().await.expect("a database of our own");
        ground.declare().await;
        let mut environment = ground.environment();
        for (name, value) in &mut environment {
            if *name == "DATABASE_URL" {
                value.clone_from(&database_url);
            }
        }
        let producer = start("sluice-producer", &["serve", "--listen", "127.0.0.1:0"], &environment);
        producer.says("serving", 1).await;
        let workers = (0..workers).map(|_| start("sluice-worker", &["run"], &environment)).collect::<Vec<_>>();
        for worker in &workers {
            worker.says("consuming", 1).await;
        }
        Self { producer, _workers: workers, ground, store, cluster, environment }
    }

    /// One more worker.
    pub(crate) fn worker(&self) -> Program {
        start("sluice-worker", &["run"], &self.environment)
    }

    /// Sends posts until `enough`, each again with the same id until it is accepted.
    pub(crate) async fn send(&self, enough: &CancellationToken) -> Sent {
        let url = format!("http://{}/posts", listening(&self.producer));
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        let mut sent = Sent::default();
        while !enough.is_cancelled() {
            let post = self.ground.post("on a cluster");
            let body = serde_json::json!({"id": post.id, "title": post.title, "content": post.content});
            loop {
                let answer = client.post(&url).json(&body).send().await;
                let refusal = match answer {
                    Ok(answer) if answer.status() == 202 => break,
                    Ok(answer) => format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                    Err(error) => error.to_string(),
                };
                sent.refused.push((Instant::now(), refusal));
                tokio::time::sleep(PACE).await;
            }
            sent.accepted.push((Instant::now(), post.id));
            tokio::time::sleep(PACE).await;
        }
        sent
    }

    /// Waits until all of these are stored, and nothing else is left anywhere.
    pub(crate) async fn accounted(&self, sent: &Sent) {
        let ids: Vec<PostId> = sent.accepted.iter().map(|(_, id)| *id).collect();
        eventually("all accepted posts to be stored", async || {
            let found = self.store.recorded(&ids).await.map_err(|failure| failure.to_string())?;
            if found.len() == ids.len() { Ok(()) } else { Err(format!("{} of {}", found.len(), ids.len())) }
        })
        .await;
        assert_eq!(self.ground.dead().await.ready, 0);
    }
}

impl Sent {
    /// The longest time without an accepted post from `from` on, for `window`.
    pub(crate) fn gap(&self, from: Instant, window: Duration) -> Duration {
        let within = |at: &Instant| *at >= from && *at < from + window;
        let times = self.accepted.iter().map(|(at, _)| *at).filter(within);
        let mut before = from;
        let mut longest = Duration::ZERO;
        for at in times.chain([from + window]) {
            longest = longest.max(at - before);
            before = at;
        }
        longest
    }

    /// What was refused between these.
    pub(crate) fn refused(&self, from: Instant, until: Instant) -> Vec<&str> {
        let within = self.refused.iter().filter(|(at, _)| *at >= from && *at < until);
        within.map(|(_, why)| why.as_str()).collect()
    }
}

fn start(name: &str, args: &[&str], environment: &[(&'static str, String)]) -> Program {
    let folder = Path::new(env!("CARGO_BIN_EXE_sluice-lab")).parent().expect("a file is in a folder");
    Program::start(&folder.join(name).display().to_string(), args, environment)
}

/// Where the producer listens, as it says.
fn listening(producer: &Program) -> String {
    let said = producer.said();
    let (_, rest) = said.split_once("listen=").expect("it says where");
    rest.split_whitespace().next().expect("an address").to_owned()
}
