//! A file of senders, and a server that reads it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use sluice_runtime::token::TokenHash;

use crate::support::{Ground, Reply, Server};

/// A file of senders, gone when dropped.
pub(crate) struct Register {
    folder: tempfile::TempDir,
}

/// The entry of a sender whose token is its name.
pub(crate) fn entry(name: &str, rest: &str) -> String {
    format!("[[sender]]\nname = \"{name}\"\ntoken_sha256 = \"{}\"\n{rest}\n", TokenHash::of(name).to_hex())
}

impl Register {
    pub(crate) fn new(text: &str) -> Self {
        let register = Self { folder: tempfile::tempdir().expect("a folder") };
        register.write(text);
        register
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("senders.toml")
    }

    /// Replaces it in one step.
    pub(crate) fn write(&self, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, text).expect("the folder is ours");
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
        std::fs::rename(new, self.path()).expect("the folder is ours");
    }

    pub(crate) fn readable_by(&self, mode: u32) {
        std::fs::set_permissions(self.path(), std::fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    pub(crate) async fn serve(&self, ground: &Ground, args: &[&str]) -> Server {
        let path = self.path().display().to_string();
        ground.serve_with(args, &[("SLUICE_SENDERS", &path)]).await
    }
}

/// Posts with a token.
pub(crate) async fn post(server: &Server, token: &str, title: &str) -> Reply {
    let body = serde_json::json!({"title": title, "content": "some text"}).to_string();
    Reply::of(server.post("/posts", "application/json", body).bearer_auth(token)).await
}

/// Sends a batch with a token; its results, a line each.
pub(crate) async fn batch(server: &Server, token: &str, lines: usize) -> Reply {
    let body = r#"{"title":"t","content":"c"}"#.to_owned() + "\n";
    Reply::of(server.post("/posts/batch", "application/x-ndjson", body.repeat(lines)).bearer_auth(token)).await
}
