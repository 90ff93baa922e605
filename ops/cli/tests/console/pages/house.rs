//! A console on servers with dead letters.

use sluice_lab::testing::eventually;
use tempfile::TempDir;

use super::visitor::accounts;
use crate::console::Console;
use crate::support::Ground;

/// A test's own prefix and database, and the file of its accounts.
pub(crate) struct House {
    pub(crate) ground: Ground,
    folder: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("accounts.toml"), accounts()).expect("a file can be written");
        Self { ground: Ground::new().await, folder }
    }

    /// Starts a console.
    pub(crate) async fn console(&self) -> Console {
        self.console_on(&self.ground.database_url).await
    }

    /// The same, which dies at this point.
    pub(crate) async fn console_that_dies(&self, at: &str) -> Console {
        let mut environment = self.environment(&self.ground.database_url);
        environment.push(("FAILPOINTS", at.to_owned()));
        Console::start(&[], &environment).await
    }

    /// The same, with another way to the database.
    pub(crate) async fn console_on(&self, database_url: &str) -> Console {
        Console::start(&[], &self.environment(database_url)).await
    }

    /// Waits until so many dead letters are ready: a console's own look has them in flight for a moment.
    pub(crate) async fn holds(&self, dead_letters: usize) {
        eventually(&format!("{dead_letters} dead letters to be there"), async || {
            let ready = self.ground.dead_letters().await;
            if ready == dead_letters { Ok(()) } else { Err(ready) }
        })
        .await;
    }

    fn environment(&self, database_url: &str) -> Vec<(&'static str, String)> {
        let accounts = self.folder.path().join("accounts.toml");
        vec![
            ("AMQP_URL", self.ground.amqp_url.clone()),
            ("DATABASE_URL", database_url.to_owned()),
            ("SLUICE_PREFIX", self.ground.prefix.clone()),
            ("SLUICE_ACCOUNTS", accounts.to_str().expect("a path in UTF-8").to_owned()),
        ]
    }
}
