//! The one folder that holds all of a stack: data, logs, settings, process ids, and the record that marks it as ours.
//!
//! ```text
//!  tls/          the servers' certificate and its key, if they have one
//!  stack.json    the record: whose folder this is, which mark its processes carry, which ports they have
//!  stack.lock    held by the process that starts or ends servers here
//!  secrets.json  the passwords of its servers
//!  pids/         the process of each server, by its name
//!  logs/         what each server wrote
//!  rabbitmq/     settings and data        home/   its HOME, with the Erlang cookie
//!  mariadb/      data, socket             tmp/    scratch of both
//!  mysql/        data, instead, from a root
//! ```
//!
//! It decides which programs are run and which processes are ended, and it has passwords in it. So no other user may
//! read it, and one that another user made, or could have filled, is refused.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::StackError;
use super::record::Record;

pub(super) const SECRETS: &str = "secrets.json";

/// The record; a folder that has it is a stack's.
const RECORD: &str = "stack.json";
/// The mark of a cluster; a folder that has it is a cluster's, and goes with it.
const CLUSTER: &str = "cluster.json";
/// Keeps the folder out of a repository around it.
const IGNORE: &str = ".gitignore";
/// A stack's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made if need be, and closed to other users. One that is neither empty nor a stack's is
    /// refused, and so is one that other users could have changed.
    pub(super) fn claim(path: &Path) -> Result<Self, StackError> {
        make(path)?;
        let path = path.canonicalize().map_err(StackError::folder(path))?;
        let folder = Self { path };
        folder.refuse_unless_private()?;
        if !folder.holds_a_record() && !folder.is_bare()? {
            return Err(StackError::NotOurs(folder.path));
        }
        fs::set_permissions(&folder.path, Permissions::from_mode(0o700)).map_err(StackError::folder(&folder.path))?;
        for inner in ["pids", "logs", "home", "tmp"] {
            make(&folder.path.join(inner))?;
        }
        // So that nobody commits passwords by mistake.
        folder.write(IGNORE, "*\n")?;
        Ok(folder)
    }

    /// A new folder among the system's temporary ones, readable by its owner alone.
    pub(super) fn temporary() -> Result<Self, StackError> {
        let name = format!("sluice-stack-{}", uuid::Uuid::new_v4().simple());
        Self::claim(&std::env::temp_dir().join(name))
    }

    /// The folder at `path`, if it is a stack's. One that other users could have changed is refused.
    pub(super) fn existing(path: &Path) -> Result<Option<Self>, StackError> {
        let Ok(path) = path.canonicalize() else { return Ok(None) };
        let folder = Self { path };
        if !folder.holds_a_record() {
            return Ok(None);
        }
        folder.refuse_unless_private()?;
        Ok(Some(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn log(&self, server: &str) -> PathBuf {
        self.path.join("logs").join(format!("{server}.log"))
    }

    /// Writes a file of the folder, whole or not at all. Only its owner can read it: it may have a password in it.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, StackError> {
        self.write_as(name, text, 0o600)
    }

    /// The same with these permissions.
    pub(super) fn write_as(&self, name: &str, text: &str, mode: u32) -> Result<PathBuf, StackError> {
        let (path, fresh) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let written = || {
            let mut file = File::options().create(true).write(true).truncate(true).mode(mode).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&fresh, &path)
        };
        written().map_err(StackError::folder(&path))?;
        Ok(path)
    }

    /// The process last recorded for a server.
    pub(super) fn pid(&self, server: &str) -> Option<u32> {
        fs::read_to_string(self.path.join("pids").join(server)).ok()?.trim().parse().ok()
    }

    pub(super) fn record_pid(&self, server: &str, pid: u32) -> Result<(), StackError> {
        self.write(&format!("pids/{server}"), &format!("{pid}\n")).map(drop)
    }

    /// The record of the stack that was last here.
    pub(super) fn record(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.path.join(RECORD)).ok()?).ok()
    }

    pub(super) fn write_record(&self, record: &Record) -> Result<(), StackError> {
        let text = serde_json::to_string_pretty(record)
            .map_err(|error| StackError::Folder { path: self.path.join(RECORD), problem: error.into() })?;
        self.write(RECORD, &text).map(drop)
    }

    /// Marks the folder as a cluster's. None is used again, so no more than the mark is written.
    pub(super) fn write_cluster(&self, mark: &str) -> Result<(), StackError> {
        self.write(CLUSTER, &serde_json::json!({ "mark": mark }).to_string()).map(drop)
    }

    /// Removes the folder and all in it. Called only for a folder with a record.
    pub(super) fn remove(self) -> Result<(), StackError> {
        fs::remove_dir_all(&self.path).map_err(StackError::folder(self.path))
    }

    fn holds_a_record(&self) -> bool {
        self.record().is_some()
    }

    /// Refuses a folder that belongs to another user, or that others may write to.
    fn refuse_unless_private(&self) -> Result<(), StackError> {
        let about = self.path.metadata().map_err(StackError::folder(&self.path))?;
        let (owner, us) = (about.uid(), nix::unistd::geteuid().as_raw());
        if owner != us {
            return Err(StackError::OthersFolder { dir: self.path.clone(), owner, us });
        }
        if about.mode() & 0o022 != 0 {
            return Err(StackError::OpenToOthers { dir: self.path.clone(), mode: about.mode() & 0o777 });
        }
        Ok(())
    }

    /// Whether everything here was made by us: a start that was cut short before its record was written leaves empty
    /// folders, a lock and passwords.
    fn is_bare(&self) -> Result<bool, StackError> {
        let entries = fs::read_dir(&self.path).map_err(StackError::folder(&self.path))?;
        Ok(entries.flatten().all(|entry| {
            let empty = |path: PathBuf| fs::read_dir(path).is_ok_and(|mut inner| inner.next().is_none());
            let name = entry.file_name();
            name == "stack.lock" || name == IGNORE || name.to_string_lossy().starts_with(SECRETS) || empty(entry.path())
        }))
    }
}

/// Makes a folder that only its owner can read, unless it exists.
pub(super) fn make(path: &Path) -> Result<(), StackError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StackError::folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devstack::record::RabbitmqPorts;

    #[test]
    fn a_folder_with_something_else_in_it_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("thesis.tex"), "years of work").expect("a file");
        assert!(matches!(Folder::claim(dir.path()), Err(StackError::NotOurs(_))));
        assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 1);
    }

    #[test]
    fn a_folder_is_a_stacks_once_its_record_is_written() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::claim(dir.path()).expect("an empty folder");
        assert!(Folder::existing(dir.path()).expect("it is ours").is_none());
        let rabbitmq = RabbitmqPorts { amqp: 1, management: 2, distribution: 3, epmd: 4, amqps: 5 };
        let record = Record { mark: "m".to_owned(), bound: false, rabbitmq, database: 5, root: None };
        folder.write_record(&record).expect("a record");
        let existing = Folder::existing(dir.path()).expect("it is ours");
        assert_eq!(existing.and_then(|folder| folder.record()), Some(record));
    }

    #[test]
    fn what_a_start_cut_short_left_behind_can_be_claimed_again() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Folder::claim(dir.path()).expect("an empty folder");
        fs::write(dir.path().join("stack.lock"), "").expect("a lock file");
        fs::write(dir.path().join(SECRETS), "{").expect("passwords");
        assert!(Folder::claim(dir.path()).is_ok());
    }

    #[test]
    fn a_folder_that_others_may_write_into_is_refused_and_one_they_may_read_is_closed_to_them() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let open = |mode| fs::set_permissions(dir.path(), Permissions::from_mode(mode)).expect("it is ours");
        for mode in [0o777, 0o770, 0o702] {
            open(mode);
            let refused = Folder::claim(dir.path()).expect_err("others may write into it").to_string();
            assert!(refused.contains("chmod 700"), "{refused}");
        }
        assert_eq!(fs::read_dir(dir.path()).expect("the folder").count(), 0);
        open(0o755);
        let folder = Folder::claim(dir.path()).expect("nobody else may write into it");
        assert_eq!(dir.path().metadata().expect("it is there").mode() & 0o777, 0o700);
        let file = folder.write("private", "words").expect("it can be written");
        assert_eq!(file.metadata().expect("it is there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_stack_in_a_folder_of_another_users_is_not_ours_to_use() {
        if !nix::unistd::geteuid().is_root() {
            return; // Only root can give a folder away.
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let record = r#"{"mark": "m", "bound": false, "rabbitmq": {"amqp": 1, "management": 2, "distribution": 3, "epmd": 4}, "database": 5}"#;
        fs::write(dir.path().join(RECORD), record).expect("a record");
        std::os::unix::fs::chown(dir.path(), Some(12_345), None).expect("root may");
        for refused in [Folder::claim(dir.path()).map(Some), Folder::existing(dir.path())] {
            let refused = refused.expect_err("it is another user's").to_string();
            assert!(refused.contains("belongs to user 12345"), "{refused}");
        }
    }
}
