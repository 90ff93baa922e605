//! A post is followed from its HTTP request to its row, or to its dead letter and through its replay, in what a
//! collector of OpenTelemetry's was sent; and a collector that is down, slow or refuses holds up nothing.

#[path = "../support/mod.rs"]
mod support;

mod collector;
mod harm;
mod way;

use std::path::Path;

use serde_json::{Value, json};
use sluice_core::post::PostId;
use sluice_lab::testing::{Program, eventually};
use support::Ground;

/// The example of the specification.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

/// A producer and a worker that export their spans.
struct Site {
    ground: Ground,
    _producer: Program,
    worker: Program,
    url: String,
    http: reqwest::Client,
}

impl Site {
    /// With these variables, and the servers' addresses.
    async fn new(variables: &[(&'static str, String)]) -> Self {
        let ground = Ground::new().await;
        let servers = [
            ("AMQP_URL", ground.amqp_url.clone()),
            ("DATABASE_URL", ground.database_url.clone()),
            ("SLUICE_PREFIX", ground.prefix.clone()),
            ("SLUICE_LOG_FORMAT", "json".to_owned()),
        ];
        let environment = [&servers[..], variables].concat();
        let start = |program: &str, args: &[&str]| {
            let path = Path::new(env!("CARGO_BIN_EXE_sluice")).with_file_name(program);
            Program::start(path.to_str().expect("a path in UTF-8"), args, &environment)
        };
        let producer = start("sluice-producer", &["serve", "--listen", "127.0.0.1:0"]);
        let worker = start("sluice-worker", &["run", "--listen", "127.0.0.1:0"]);
        let (url, http) = (listens(&producer).await, reqwest::Client::new());
        worker.says("consuming", 1).await;
        // A post that comes before the broker is known is refused, sent again, and has two spans of a name.
        eventually("the producer to be ready", async || {
            let ready = http.get(format!("{url}/readyz")).send().await.map_err(|error| error.to_string())?;
            if ready.status().is_success() { Ok(()) } else { Err(ready.status().to_string()) }
        })
        .await;
        Self { ground, _producer: producer, worker, url, http }
    }

    /// Posts this; gives its id.
    async fn accepted(&self, title: &str, traceparent: Option<&str>) -> PostId {
        let body =
            json!({ "id": PostId::new(), "title": title, "content": "what nobody else may read", "author": "ann" });
        let accepted = eventually("the post to be accepted", async || {
            let mut post = self.http.post(format!("{}/posts", self.url)).json(&body);
            if let Some(traceparent) = traceparent {
                post = post.header("traceparent", traceparent);
            }
            let answer = post.send().await.map_err(|error| error.to_string())?;
            if answer.status() == 202 { Ok(answer) } else { Err(answer.status().to_string()) }
        });
        let accepted: Value = accepted.await.json().await.expect("JSON");
        accepted["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
    }

    async fn stored(&self, id: PostId) {
        eventually("the post to be stored", async || {
            self.ground.store.post(id).await.map_err(|error| error.to_string())?.map(drop).ok_or("no row".to_owned())
        })
        .await;
    }

    async fn dead(&self, id: PostId) {
        eventually("the post to be a dead letter", async || {
            let listed = self.ground.listed().await;
            if listed.contains(&id.to_string()) { Ok(()) } else { Err(listed) }
        })
        .await;
    }

    /// The sum of a metric of both programs.
    async fn metric(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for url in [self.url.clone(), listens(&self.worker).await] {
            let page = self.http.get(format!("{url}/metrics")).send().await.expect("an answer");
            let page = page.text().await.expect("a text");
            let lines = page.lines().filter(|line| line.starts_with(name));
            sum += lines.filter_map(|line| line.split(' ').next_back()?.parse::<f64>().ok()).sum::<f64>();
        }
        sum
    }
}

/// Where a program says that it listens.
async fn listens(program: &Program) -> String {
    eventually("the program to say where it listens", async || {
        let said = program.said();
        let mut events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let listen = |event: Value| Some(format!("http://{}", event["listen"].as_str().or(event["address"].as_str())?));
        events.find_map(listen).ok_or(said)
    })
    .await
}
