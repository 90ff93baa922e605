//! A producer that serves, and its answers.

use std::time::{Duration, Instant};

use sluice_lab::testing::{Program, eventually};

/// A running server.
pub(crate) struct Server {
    pub(crate) program: Program,
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

impl Server {
    /// Waits until it says where it listens.
    pub(crate) async fn ready(program: Program) -> Self {
        let url = eventually("the server to say where it listens", async || {
            let said = program.said();
            let mut events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            let url = events.find_map(|event| Some(format!("http://{}", event["listen"].as_str()?)));
            url.ok_or(said)
        })
        .await;
        Self { program, url, client: reqwest::Client::new() }
    }

    /// Waits until it takes posts. On a busy machine the broker may need longer for the queues than the program waits for
    /// them before it serves.
    pub(crate) async fn accepting(program: Program) -> Self {
        let server = Self::ready(program).await;
        if server.program.said().contains("no posts are accepted yet") {
            eventually("the server to take posts", async || {
                // By a client of its own, whose connection ends with it: tests count connections.
                match Reply::of(reqwest::Client::new().get(format!("{}/readyz", server.url))).await {
                    Reply { status: 503, text, .. } => Err(text),
                    _ => Ok(()),
                }
            })
            .await;
        }
        server
    }

    pub(crate) fn post(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).header("content-type", content_type).body(body)
    }

    /// Posts a good post.
    pub(crate) async fn submit(&self, title: &str) -> Reply {
        let body = serde_json::json!({"title": title, "content": "some text"}).to_string();
        Reply::of(self.post("/posts", "application/json", body)).await
    }

    /// Waits until its metrics have this line.
    pub(crate) async fn measures(&self, line: &str) {
        let has = async || self.get("/metrics").await.text.lines().any(|found| found == line);
        eventually(line, async || if has().await { Ok(()) } else { Err("not yet") }).await;
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(self.client.get(format!("{}{path}", self.url))).await
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

impl Reply {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::try_of(request).await.expect("the server answers, and completely")
    }

    /// `None`: the server went away before its answer was complete.
    pub(crate) async fn try_of(request: reqwest::RequestBuilder) -> Option<Self> {
        let begun = Instant::now();
        let response = request.send().await.ok()?;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        Some(Self { status, content_type, retry_after, text, took: begun.elapsed() })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The name of a problem, after checking its form.
    pub(crate) fn problem(&self) -> String {
        let problem = self.json();
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        let name = problem["type"].as_str().and_then(|urn| urn.strip_prefix("urn:sluice:problem:"));
        name.expect("the type is one of ours").to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }
}
