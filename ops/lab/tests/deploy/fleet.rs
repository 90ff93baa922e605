//! A producer, a worker and a console to which everything happens that alerts and dashboard speak of.

use std::fs;
use std::path::Path;

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sluice_lab::testing::{Ground, Program, eventually};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::shown::Shown;

/// The endpoint that takes events, and one where nobody listens.
const ENDPOINTS: &str = r#"
[[endpoint]]
name = "exchange"
kind = "exchange"

[[endpoint]]
name = "nobody"
url = "http://127.0.0.1:1/"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"#;

/// The three programs.
pub(crate) struct Fleet {
    producer: Program,
    worker: Program,
    console: Program,
    /// The connection of a reader of the decisions' exchange, without which events wait. Its queue goes with it.
    _reader: lapin::Connection,
    /// A client whose request never ends: the producer closes its connection.
    _halfway: TcpStream,
    ground: Ground,
    folder: TempDir,
}

/// The path of a program that was built with this test.
pub(crate) fn program(name: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_sluice-lab")).parent().expect("a file is in a folder");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace --bins", path.display());
    path.display().to_string()
}

/// Where a program says that it listens.
async fn address(program: &Program) -> String {
    eventually("the program to say where it listens", async || {
        let said = program.said();
        let mut events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let address = events
            .find_map(|event| ["listen", "address"].iter().find_map(|key| Some(event[*key].as_str()?.to_owned())));
        address.ok_or(said)
    })
    .await
}

async fn page(program: &Program, path: &str) -> String {
    let answer = reqwest::get(format!("http://{}{path}", address(program).await)).await.expect("the program answers");
    answer.text().await.expect("a whole answer")
}

/// Declares the decisions' exchange as the console does at its first event, and binds a queue to it.
async fn reader(ground: &Ground) -> lapin::Connection {
    let connection = ground.broker().connect().await.expect("the broker answers");
    ground.topology().declare_decisions(&connection).await.expect("an exchange of our own");
    let channel = connection.create_channel().await.expect("a channel");
    let (queue, exchange) = (format!("{}_reader", ground.name), ground.topology().decisions());
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.as_str().into(), exclusive, FieldTable::default()).await.expect("a queue of our own");
    channel
        .queue_bind(
            queue.as_str().into(),
            exchange.as_str().into(),
            "#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("the exchange is there");
    connection
}

impl Fleet {
    /// Starts them, with a rules file, an outside reviewer that does not exist and two endpoints.
    pub(crate) async fn start() -> Self {
        let ground = Ground::new().await;
        ground.store().migrate().await.expect("a database of our own");
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file can be written");
            path.display().to_string()
        };
        let (rules, endpoints) = (file("rules.toml", "extend = \"builtin\"\n"), file("endpoints.toml", ENDPOINTS));
        let start = |name: &str, args: &[&str]| {
            let args = [args, &["--listen", "127.0.0.1:0", "--log-format", "json"][..]].concat();
            Program::start(&program(name), &args, &ground.environment())
        };
        let producer = start("sluice-producer", &["serve"]);
        let reviewer = ["--reviewer-url", "http://127.0.0.1:1", "--reviewer-ask", "always", "--reviewer-trip", "1"];
        let retry = ["--max-attempts", "2", "--retry-base", "10ms", "--retry-cap", "20ms"];
        let worker = start("sluice-worker", &[&["run", "--rules", &rules][..], &reviewer, &retry].concat());
        let console = start("sluice", &["console", "--endpoints", &endpoints, "--decision-delay", "0s"]);
        let reader = reader(&ground).await;
        let mut halfway = TcpStream::connect(address(&producer).await).await.expect("the producer listens");
        halfway.write_all(b"POST /posts HTTP/1.1\r\n").await.expect("the producer reads");
        Self { producer, worker, console, _reader: reader, _halfway: halfway, ground, folder }
    }

    /// The first dead letter and the first refused rules raise an alert only if their counters were 0 before.
    pub(crate) async fn counts_from_zero(&self) {
        eventually("the worker to be ready", async || {
            let ready = page(&self.worker, "/readyz").await;
            if ready.contains("\"ready\"") { Ok(()) } else { Err(ready) }
        })
        .await;
        let page = page(&self.worker, "/metrics").await;
        for series in [
            "sluice_deliveries_settled_total{settlement=\"dead_letter\"} 0",
            "sluice_deliveries_settled_total{settlement=\"ack\"} 0",
            "sluice_rules_reloads_total{result=\"refused\"} 0",
        ] {
            assert!(page.lines().any(|line| line == series), "{series} is missing in:\n{page}");
        }
    }

    /// Posts that are stored, held, retried, dead-lettered and refused; rules that are refused; decisions that are taken
    /// by one endpoint and not by the other.
    pub(crate) async fn have_everything_happen(&self) {
        let refuse = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'said so'";
        let trigger = "CREATE TRIGGER refused BEFORE INSERT ON posts FOR EACH ROW";
        self.ground.sql(&format!("{trigger} IF NEW.title = 'refused' THEN {refuse}; END IF")).await;
        for (body, status) in [
            (json!({"title": "a walk", "content": "We went along the river."}), 202),
            (json!({"title": "refused", "content": "The table does not take it."}), 202),
            (json!({"content": "It has no title."}), 422),
        ] {
            self.submit(&body, status).await;
        }
        fs::write(self.folder.path().join("rules.toml"), "extend = \n").expect("a file can be written");
        self.worker.signal(Signal::SIGHUP);
    }

    async fn submit(&self, body: &Value, status: u16) {
        let url = format!("http://{}/posts", address(&self.producer).await);
        let client = reqwest::Client::new();
        eventually("the producer to answer", async || {
            let request = client.post(&url).header("content-type", "application/json").body(body.to_string());
            let answer = request.send().await.expect("the producer answers").status().as_u16();
            if answer == status { Ok(()) } else { Err(answer) }
        })
        .await;
    }

    /// What the three show now.
    pub(crate) async fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for program in [&self.producer, &self.worker, &self.console] {
            shown.add(&page(program, "/metrics").await);
        }
        shown
    }
}
