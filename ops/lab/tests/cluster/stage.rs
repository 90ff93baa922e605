//! Sluice on a cluster: a producer and workers that know all nodes, and a sender that notes every answer.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use sluice_core::config::DatabaseArgs;
use sluice_core::post::PostId;
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};
use sluice_lab::testing::{Ground, Program, eventually};
use sluice_mysql::Store;
use tokio_util::sync::CancellationToken;

/// Between two posts of the sender.
const PACE: Duration = Duration::from_millis(25);
/// The password of Sluice's user in the database: like root's, it has nothing that others could want.
const PASSWORD: &str = "a-password-of-tests";
/// The file of the producer's receipts, in the cluster's folder.
const RECEIPTS: &str = "receipts";
/// How long the sender waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cluster, and Sluice on it.
pub(crate) struct Stage {
    pub(crate) producer: Program,
    pub(crate) workers: Vec<Program>,
    /// Dropped before the servers it cleans.
    pub(crate) ground: Ground,
    pub(crate) store: Store,
    pub(crate) cluster: Cluster,
    client: reqwest::Client,
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
        // Unlike root, it is bound by `read_only`.
        let user = &ground.name;
        ground.sql(&format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")).await;
        ground.sql(&format!("GRANT ALL ON {user}.* TO {user}@'127.0.0.1'")).await;
        let database_url = |nodes: &[usize]| {
            let url = cluster.database_url(user, nodes);
            format!("mysql://{user}:{PASSWORD}@{}", url.split_once('@').expect("it has a user").1)
        };
        // What one node has made is there a moment later on the others, and whoever knows all of them begins with any.
        for node in 0..databases {
            let url = database_url(&[node]);
            eventually("the database to be there", async || mysql_async::Conn::from_url(&url).await.map(drop)).await;
        }
        let database_url = database_url(&all(databases));
        let store = Store::new(&DatabaseArgs { database_url: database_url.as_str().into() }).expect("a good address");
        store.migrate().await.expect("a database of our own");
        ground.declare().await;
        let mut environment = ground.environment();
        for (name, value) in &mut environment {
            if *name == "DATABASE_URL" {
                value.clone_from(&database_url);
            }
        }
        let receipts = cluster.dir().join(RECEIPTS).display().to_string();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--receipts", &receipts];
        let producer = start("sluice-producer", &serve, &environment);
        producer.says("serving", 1).await;
        let workers = (0..workers).map(|_| start("sluice-worker", &["run"], &environment)).collect::<Vec<_>>();
        for worker in &workers {
            worker.says("consuming", 1).await;
        }
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().expect("a client");
        Self { producer, workers, ground, store, cluster, client, environment }
    }

    /// One more worker.
    pub(crate) fn worker(&self) -> Program {
        start("sluice-worker", &["run"], &self.environment)
    }

    /// What `sluice verify` says of all posts that were accepted so far.
    pub(crate) async fn verify(&self) -> Output {
        let receipts = self.cluster.dir().join(RECEIPTS).display().to_string();
        self.sluice(&["verify", "--json", "--receipts", &receipts]).await
    }

    /// What a command prints, on both ways, and whether it succeeded.
    pub(crate) async fn run(&self, args: &[&str]) -> (String, bool) {
        let Output { status, stdout, stderr } = self.sluice(args).await;
        let said = [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        (said.concat(), status.success())
    }

    async fn sluice(&self, args: &[&str]) -> Output {
        let mut sluice = tokio::process::Command::new(program("sluice"));
        sluice.args(args).envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        sluice.kill_on_drop(true).output().await.expect("the program was built")
    }

    /// An address of the producer.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", listening(&self.producer))
    }

    /// Sends posts until `enough`, each again with the same id until it is accepted.
    pub(crate) async fn send(&self, enough: &CancellationToken) -> Sent {
        let mut sent = Sent::default();
        while !enough.is_cancelled() {
            self.submit(PostId::new(), &mut sent).await;
            tokio::time::sleep(PACE).await;
        }
        sent
    }

    /// Sends all of these once more, with the same ids.
    pub(crate) async fn send_again(&self, sent: &Sent) {
        let mut again = Sent::default();
        for (_, id) in &sent.accepted {
            self.submit(*id, &mut again).await;
        }
    }

    /// Sends a post until it is accepted.
    async fn submit(&self, id: PostId, sent: &mut Sent) {
        let url = self.url("/posts");
        let body = serde_json::json!({"id": id, "title": "on a cluster", "content": "A text about nothing."});
        loop {
            let refusal = match self.client.post(&url).json(&body).send().await {
                Ok(answer) if answer.status() == 202 => break,
                Ok(answer) => format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(error) => error.to_string(),
            };
            sent.refused.push((Instant::now(), refusal));
            tokio::time::sleep(PACE).await;
        }
        sent.accepted.push((Instant::now(), id));
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
    Program::start(&program(name).display().to_string(), args, environment)
}

/// A program of the workspace, by its name.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_sluice-lab")).with_file_name(name)
}

/// Where the producer listens, as it says.
fn listening(producer: &Program) -> String {
    let said = producer.said();
    let (_, rest) = said.split_once("listen=").expect("it says where");
    rest.split_whitespace().next().expect("an address").to_owned()
}
