//! The program, and its answers, each held against the document that it gives of itself.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sluice_lab::testing::{Program, eventually};

use super::document::Document;
use super::ground::TOKEN;

/// A running console.
pub(crate) struct Console {
    pub(crate) program: Program,
    pub(crate) at: String,
    pub(crate) document: Document,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

impl Console {
    pub(crate) async fn start(args: &[&str], environment: &[(&str, String)]) -> Self {
        let args = [&["console", "--listen", "127.0.0.1:0", "--log-format", "json"], args].concat();
        let program = Program::start(env!("CARGO_BIN_EXE_sluice"), &args, environment);
        let at = eventually("the console to say where it listens", async || {
            let said = program.said();
            let mut events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            events.find_map(|event| Some(format!("http://{}", event["listen"].as_str()?))).ok_or(said)
        })
        .await;
        let http = reqwest::Client::new();
        let document = http.get(format!("{at}/api/v1/openapi.json")).send().await.expect("it answers");
        let document = Document::new(document.json().await.expect("it is JSON"));
        Self { program, at, document, http }
    }

    /// A request with the token that may do everything.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1/{path}", self.at)).bearer_auth(TOKEN)
    }

    /// The same without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.at))
    }

    /// Sends it, and holds the answer against the document.
    pub(crate) async fn answer(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("a good request");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = self.http.execute(request).await.expect("the console answers");
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").map(|wait| wait.to_str().expect("text").to_owned());
        let text = answer.text().await.expect("it is whole");
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        self.document.check(method.as_str(), &path, status, &body);
        Answer { status, retry_after, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.answer(self.request(Method::POST, path).json(body).header("Idempotency-Key", key)).await
    }
}

impl Answer {
    /// That it is of this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// That it is this problem.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, name: &str) -> Value {
        let body = self.is(status);
        assert_eq!(body["type"], format!("urn:sluice:problem:{name}"), "{body}");
        body
    }
}

/// A text of an object.
#[track_caller]
pub(crate) fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("{key} in {object}")).to_owned()
}
