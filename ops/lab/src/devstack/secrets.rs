//! The passwords of a stack's servers, drawn when its folder is first used. Servers on 127.0.0.1 are open to every user
//! of the machine, so nothing but a password keeps the others out.
//!
//! They are kept in a file of the folder that its owner alone can read, and reach each server in a file too: what
//! stands on a command line or in an environment can be read elsewhere.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::StackError;
use super::folder::{Folder, SECRETS};

/// The broker's user. There is no `guest`, whose password everybody knows.
pub(super) const BROKER_USER: &str = "sluice";
/// The database server's user. Tests change the server's settings and make users, so it is the one that may.
pub(super) const DATABASE_USER: &str = "root";

/// The passwords: letters and digits only, so that they stand in a URL, in SQL and in settings as they are.
#[derive(Clone)]
pub(super) struct Secrets {
    broker: SecretString,
    database: SecretString,
}

impl Secrets {
    /// Those of a folder, drawn now if the folder is new.
    ///
    /// `in_use`: whether servers were started here before. Without their passwords they are of no use.
    pub(super) fn of(folder: &Folder, in_use: bool) -> Result<Self, StackError> {
        match Self::read(folder) {
            Ok(secrets) => Ok(secrets),
            Err(missing) if in_use => Err(missing),
            Err(_) => {
                let drawn = Self { broker: random().into(), database: random().into() };
                let (broker, database) = (drawn.broker(), drawn.database());
                folder.write(SECRETS, &json!({ "broker": broker, "database": database }).to_string())?;
                Ok(drawn)
            }
        }
    }

    /// Those of a folder in which servers were started before.
    pub(super) fn read(folder: &Folder) -> Result<Self, StackError> {
        let path = folder.path().join(SECRETS);
        let kept = || {
            let kept: Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
            let one = |key: &str| Some(SecretString::from(kept.get(key)?.as_str()?));
            Some(Self { broker: one("broker")?, database: one("database")? })
        };
        kept().ok_or_else(|| StackError::NoPasswords(folder.path().to_owned()))
    }

    pub(super) fn broker(&self) -> &str {
        self.broker.expose_secret()
    }

    pub(super) fn database(&self) -> &str {
        self.database.expose_secret()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// 122 random bits, from the system's source of randomness.
pub(super) fn random() -> String {
    Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_drawn_once_for_a_folder_and_never_again_for_one_in_use() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::claim(dir.path()).expect("an empty folder");
        let drawn = Secrets::of(&folder, false).expect("new ones");
        assert_ne!(drawn.broker(), drawn.database());
        assert_eq!(Secrets::of(&folder, true).expect("those").broker(), drawn.broker());
        assert!(!format!("{drawn:?}").contains(drawn.broker()));
        std::fs::remove_file(folder.path().join(SECRETS)).expect("it is there");
        let missing = Secrets::of(&folder, true).expect_err("the servers have others").to_string();
        assert!(missing.contains("stack down --remove --dir"), "{missing}");
    }
}
