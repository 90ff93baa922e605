//! As much of WebDriver as the browser tests need. Not thirtyfour: it turns on serde_json's `preserve_order` for the
//! whole build, so programs under test would write JSON in another order than released ones.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use sluice_lab::testing::{Program, eventually};

/// How the standard names an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser of a test's own.
pub(crate) struct Browser {
    http: reqwest::Client,
    session: String,
}

/// Runs a test in a browser, which ends with it.
pub(crate) async fn in_browser(script: bool, test: impl AsyncFnOnce(&Browser)) {
    let driver = Program::start("chromedriver", &["--port=0"], &[]);
    driver.says("started successfully on port ", 1).await;
    let said = driver.said();
    let (_, port) = said.split_once("started successfully on port ").expect("it says so");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];
    let off = if script { 1 } else { 2 };
    let wishes = json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": {
            "args": flags,
            "prefs": { "profile.managed_default_content_settings.javascript": off },
        },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } });
    let new = Browser { http: reqwest::Client::new(), session: format!("http://127.0.0.1:{port}/session") };
    let made = new.call(Method::POST, "", wishes).await.expect("Chromium starts");
    let session = format!("{}/{}", new.session, made["sessionId"].as_str().expect("an id"));
    let browser = Browser { session, ..new };
    let done = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    browser.call(Method::DELETE, "", Value::Null).await.expect("it ends");
    if let Err(panic) = done {
        resume_unwind(panic);
    }
}

impl Browser {
    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let request = self.http.request(method, format!("{}{path}", self.session));
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let failed = !answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        if failed { Err(answer.to_string()) } else { Ok(answer["value"].take()) }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Opens an address.
    pub(crate) async fn open(&self, address: &str) {
        self.post("/url", json!({ "url": address })).await;
    }

    /// Goes back.
    pub(crate) async fn back(&self) {
        self.post("/back", json!({})).await;
    }

    /// The tab that is shown, and in which everything is done.
    pub(crate) async fn tab(&self) -> Value {
        self.call(Method::GET, "/window", Value::Null).await.expect("there is one")
    }

    /// Waits for another tab than this one.
    pub(crate) async fn other_tab(&self, than: &Value) -> Value {
        eventually("another tab", async || {
            let tabs = self.call(Method::GET, "/window/handles", Value::Null).await?;
            let mut others = tabs.as_array().into_iter().flatten().filter(|tab| *tab != than);
            others.next().cloned().ok_or_else(|| tabs.to_string())
        })
        .await
    }

    /// Brings a tab to the front; the others are in the background then.
    pub(crate) async fn show_tab(&self, tab: &Value) {
        self.post("/window", json!({ "handle": tab })).await;
    }

    /// Loads the page again.
    pub(crate) async fn refresh(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// The page as it is now.
    pub(crate) async fn source(&self) -> String {
        let source = self.call(Method::GET, "/source", Value::Null).await.expect("a page");
        source.as_str().expect("a text").to_owned()
    }

    /// What the browser complained about.
    pub(crate) async fn log(&self) -> Value {
        self.post("/se/log", json!({ "type": "browser" })).await
    }

    /// The value of an expression, or why there is none: the page may be left at this moment.
    pub(crate) async fn ask(&self, expression: &str) -> Result<Value, String> {
        let script = json!({ "script": format!("return {expression}"), "args": [] });
        self.call(Method::POST, "/execute/sync", script).await
    }

    /// The value of an expression, on a page that stays.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.ask(expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits for the first element that a selector finds; gives its path.
    pub(crate) async fn find(&self, css: &str) -> String {
        let query = json!({ "using": "css selector", "value": css });
        let found = eventually(&format!("{css} to be there"), async || {
            self.call(Method::POST, "/element", query.clone()).await
        })
        .await;
        format!("/element/{}", found[ELEMENT].as_str().expect("an id"))
    }

    /// Types into it.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.post(&format!("{element}/value"), json!({ "text": text })).await;
    }

    /// Clicks on it.
    pub(crate) async fn click(&self, css: &str) {
        // A page that comes takes the element of the one before with it.
        eventually(&format!("{css} to be clicked"), async || {
            let element = self.find(css).await;
            self.call(Method::POST, &format!("{element}/click"), json!({})).await
        })
        .await;
    }

    /// Clicks on what leads to another page, and waits until this one is left: what comes next would be done to it.
    pub(crate) async fn follow(&self, css: &str) {
        let page = self.find("html").await;
        self.click(css).await;
        eventually(&format!("the page to be left by {css}"), async || {
            match self.call(Method::GET, &format!("{page}/name"), Value::Null).await {
                Ok(_) => Err("it is still there"),
                Err(_) => Ok(()),
            }
        })
        .await;
    }

    /// Makes the window so wide and so high, in pixels, narrower than a desktop would allow, too.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.develop("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Prefers dark or light pages.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.develop("Emulation.setEmulatedMedia", features).await;
    }

    /// A command of Chromium's own.
    async fn develop(&self, command: &str, parameters: Value) {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await;
    }

    /// A picture of what it shows: a PNG in base64.
    pub(crate) async fn picture(&self) -> String {
        let picture = self.call(Method::GET, "/screenshot", Value::Null).await.expect("a picture");
        picture.as_str().expect("a text").to_owned()
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let press = |key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })];
        let actions: Vec<Value> = keys.chars().flat_map(|key| press(key.to_string())).collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] })).await;
    }
}
