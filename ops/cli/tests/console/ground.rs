//! A database with held posts and their cases, and the console on it.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use sluice_core::moderation::Role;
use sluice_core::moderation::act::Actor;
use sluice_core::post::PostId;
use sluice_core::verdict::{Reason, Review, Score, Verdict};
use sluice_lab::testing::Ground;
use sluice_mysql::review::{Decision, DecisionRequest, NewCase, Recheck, Ruling, StoredCase, UndoRequest};
use sluice_mysql::{Row, Store};
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

use super::console::Console;

/// What the tests' endpoints sign with.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The secret before that one.
pub(crate) const OLD_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// The token that may do everything.
pub(crate) const TOKEN: &str = "all-of-it";

/// A test's own.
pub(crate) struct Desk {
    pub(crate) ground: Ground,
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let ground = Ground::new().await;
        let store = ground.store();
        store.migrate().await.expect("a database of our own");
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Self { ground, store, folder };
        let all = client("all", TOKEN, &["read", "appeal", "write", "moderate"]);
        desk.file("accounts.toml", &all);
        desk
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    /// Starts a console with these arguments, beside the clients' file and a free port.
    pub(crate) async fn console(&self, args: &[&str]) -> Console {
        self.console_on(&self.ground.database_url, args).await
    }

    /// The same, with another way to the database.
    pub(crate) async fn console_on(&self, database_url: &str, args: &[&str]) -> Console {
        self.console_in(&self.environment(database_url), args).await
    }

    /// The same, in this environment.
    pub(crate) async fn console_in(&self, environment: &[(&str, String)], args: &[&str]) -> Console {
        Console::start(args, environment).await
    }

    /// The environment of a console with this way to the database.
    pub(crate) fn environment(&self, database_url: &str) -> Vec<(&'static str, String)> {
        let accounts = self.folder.path().join("accounts.toml");
        let mut environment = self.ground.environment();
        environment.retain(|(name, _)| *name != "DATABASE_URL");
        environment.push(("DATABASE_URL", database_url.to_owned()));
        environment.push(("SLUICE_ACCOUNTS", path(&accounts)));
        environment.push(("SLUICE_DECISION_DELAY", "0s".to_owned()));
        environment.push(("SLUICE_DECISION_WAITS", "50ms,100ms,200ms".to_owned()));
        environment
    }

    /// Stores a post with this verdict, and opens no case.
    pub(crate) async fn stored(&self, verdict: Verdict) -> PostId {
        let post = self.ground.post("a post");
        let score = Score { category: "spam".to_owned(), sum: 50, hold: Some(40), reject: None, urgent: false };
        let reason = Reason {
            rule: "test".to_owned(),
            category: "spam".to_owned(),
            field: "title".to_owned(),
            span: [0, 1],
            text: "a".to_owned(),
            matched: "a".to_owned(),
            steps: Vec::new(),
        };
        let review = Review {
            verdict,
            reasons: vec![reason],
            scores: vec![score],
            shadow: Vec::new(),
            ruleset: "test@0".to_owned(),
        };
        let row = Row { post: post.clone(), review, reviewed_at: OffsetDateTime::now_utc(), attempts: 1, sender: None };
        self.store.insert(&[row], "test").await.expect("it can be stored").remove(0).expect("it is stored");
        post.id
    }

    /// A held post with its case.
    pub(crate) async fn held(&self) -> StoredCase {
        let post = self.stored(Verdict::Held).await;
        let held = self.store.held_without_case(&[post]).await.expect("the database answers");
        let cases: Vec<NewCase> = held.into_iter().map(|post| post.case([7; 16])).collect();
        self.store.open_cases(&cases).await.expect("cases can be opened");
        self.store.cases_of(post).await.expect("the database answers").remove(0)
    }

    /// A lead decides, without the console.
    pub(crate) async fn decide(&self, case: Uuid, ruling: Ruling) -> Decision {
        let request = DecisionRequest {
            id: Uuid::now_v7(),
            case,
            ruling,
            actor: LEA,
            policies: &[],
            policyset: None,
            message: Some("a text for the author"),
            note: Some("a text for the team"),
            act: None,
            recheck: Recheck { appeals: Some(std::time::Duration::from_secs(3600)), ..Recheck::default() },
            expected: None,
        };
        self.store.decide(&request).await.expect("the database answers").expect("a case").expect("it is open")
    }

    /// And undoes.
    pub(crate) async fn undo(&self, decision: Uuid) -> Decision {
        let request = UndoRequest { id: Uuid::now_v7(), decision, actor: LEA, note: None, act: None };
        self.store.undo(&request).await.expect("the database answers").expect("a decision").expect("it is theirs")
    }

    /// The file of one webhook.
    pub(crate) fn endpoints(&self, url: &str) -> String {
        let text =
            format!("[[endpoint]]\nname = \"forum\"\nurl = \"{url}\"\nsecrets = [\"{SECRET}\", \"{OLD_SECRET}\"]\n");
        path(&self.file("endpoints.toml", &text))
    }
}

const LEA: Actor<'static> = Actor { name: "lea", role: Role::Lead, claim: None };

/// A path as an argument.
pub(crate) fn path(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A client's entry in the file.
pub(crate) fn client(name: &str, token: &str, scopes: &[&str]) -> String {
    let hash: String = Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[client]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\nscopes = {scopes:?}\n")
}
