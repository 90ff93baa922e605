//! The program's end, and waiting for things.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::PATIENCE;

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// That it ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// That all was done.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Its lines, each an object.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// Its one object.
    #[track_caller]
    pub fn object(&self) -> Value {
        let lines = self.lines();
        assert_eq!(lines.len(), 1, "{self:#?}");
        lines[0].clone()
    }
}

/// A text of an object.
#[track_caller]
pub fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("{key} in {object}")).to_owned()
}

/// Asks until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, asked).await.is_ok(), "not within {PATIENCE:?}: {what}");
}

/// Tells a process to stop, as Ctrl-C does.
pub async fn interrupt(child: &Child) {
    let id = child.id().expect("it still runs").to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.expect("kill is there").success());
}
