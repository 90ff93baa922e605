//! The one folder that holds all of a stack: data, logs, settings, process ids, and the record that marks it as ours.
//!
//! ```text
//!  stack.json    the record: whose folder this is, which mark its processes carry, which ports they have
//!  stack.lock    held by whoever starts or ends servers here
//!  secrets.json  the passwords of its servers
//!  pids/         the process of each server, by its name
//!  logs/         what each server wrote
//!  rabbitmq/     settings and data        home/   its HOME, with the Erlang cookie
//!  mariadb/      data, socket             tmp/    scratch of both
//!  mysql/        data, instead, from a root
//! ```
//!
//! What is in it decides which programs are run and which processes are ended, and it holds passwords. So it is its
//! owner's alone: no other user may look into it, and one that another user made, or could have filled, is refused.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::StackError;

/// The file that holds the passwords.
pub(super) const SECRETS: &str = "secrets.json";

/// The record's name, and with it the sign that a folder is a stack's.
const RECORD: &str = "stack.json";
/// What keeps all of the folder out of a repository around it.
const IGNORE: &str = ".gitignore";
/// How often a held lock is asked for again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The ports of a RabbitMQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RabbitmqPorts {
    pub(super) amqp: u16,
    pub(super) management: u16,
    pub(super) distribution: u16,
    pub(super) epmd: u16,
}

/// What is known of a stack from one program run to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What every process of the stack carries in its environment, and no other process does.
    pub(super) mark: String,
    /// Whether the servers end with the process that started them.
    pub(super) bound: bool,
    pub(super) rabbitmq: RabbitmqPorts,
    pub(super) database: u16,
    /// Where its servers are from, if they are not this machine's. The data are theirs alone.
    #[serde(default)]
    pub(super) root: Option<PathBuf>,
}

/// A stack's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made if need be. What is neither empty nor a stack's is refused, and what other users
    /// could have changed. From then on they cannot look into it.
    pub(super) fn claim(path: &Path) -> Result<Self, StackError> {
        make(path)?;
        let path = path.canonicalize().map_err(StackError::folder(path))?;
        let folder = Self { path };
        folder.refuse_unless_private()?;
        if !folder.holds_a_record() && !folder.is_bare()? {
            return Err(StackError::NotOurs(folder.path));
        }
        fs::set_permissions(&folder.path, Permissions::from_mode(0o700)).map_err(StackError::folder(&folder.path))?;
        for inner in ["pids", "logs", "rabbitmq", "home", "tmp"] {
            make(&folder.path.join(inner))?;
        }
        // Wherever it is: nobody commits passwords by mistake.
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

    /// Writes a file of the folder, whole or not at all. Its owner alone can read it: it may hold a password.
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

    /// What is known of the stack that was last here.
    pub(super) fn record(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.path.join(RECORD)).ok()?).ok()
    }

    pub(super) fn write_record(&self, record: &Record) -> Result<(), StackError> {
        let text = serde_json::to_string_pretty(record)
            .map_err(|error| StackError::Folder { path: self.path.join(RECORD), problem: error.into() })?;
        self.write(RECORD, &text).map(drop)
    }

    /// The right to start or end servers here, waited for at most `patience`. It ends with the file, or the process.
    pub(super) async fn lock(&self, patience: Duration) -> Result<File, StackError> {
        let path = self.path.join("stack.lock");
        let file = File::options().create(true).append(true).open(&path).map_err(StackError::folder(&path))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return self.sign(file),
                Err(TryLockError::Error(problem)) => return Err(StackError::Folder { path, problem }),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    let pid = fs::read_to_string(&path).unwrap_or_default();
                    let owner = if pid.is_empty() { "another process".to_owned() } else { format!("process {pid}") };
                    return Err(StackError::InUse { dir: self.path.clone(), owner });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Writes into the lock who holds it, for those who find it held.
    fn sign(&self, mut lock: File) -> Result<File, StackError> {
        let signed = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
        signed.map(|()| lock).map_err(StackError::folder(&self.path))
    }

    /// Removes the folder and all in it. Only ever called for a folder with a record.
    pub(super) fn remove(self) -> Result<(), StackError> {
        fs::remove_dir_all(&self.path).map_err(StackError::folder(self.path))
    }

    fn holds_a_record(&self) -> bool {
        self.record().is_some()
    }

    /// Refuses a folder that is another user's, or into which others may write.
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

    /// Whether nothing is here that was not made by us: a start that was cut short before its record was written
    /// leaves empty folders, a lock and passwords.
    fn is_bare(&self) -> Result<bool, StackError> {
        let entries = fs::read_dir(&self.path).map_err(StackError::folder(&self.path))?;
        Ok(entries.flatten().all(|entry| {
            let empty = |path: PathBuf| fs::read_dir(path).is_ok_and(|mut inner| inner.next().is_none());
            let name = entry.file_name();
            name == "stack.lock" || name == IGNORE || name.to_string_lossy().starts_with(SECRETS) || empty(entry.path())
        }))
    }
}

/// Makes a folder that only its owner may look into, unless it is there.
pub(super) fn make(path: &Path) -> Result<(), StackError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StackError::folder(path))
}

/// The last `lines` lines of a log from byte `from` on.
pub(super) fn tail(log: &Path, from: u64, lines: usize) -> String {
    let text = read_from(log, from).unwrap_or_else(|error| format!("(the log cannot be read: {error})"));
    let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if all.is_empty() {
        return "(nothing)".to_owned();
    }
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn read_from(log: &Path, from: u64) -> io::Result<String> {
    let bytes = fs::read(log)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[from..]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let rabbitmq = RabbitmqPorts { amqp: 1, management: 2, distribution: 3, epmd: 4 };
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

    #[tokio::test]
    async fn the_lock_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::claim(dir.path()).expect("an empty folder");
        let held = folder.lock(Duration::ZERO).await.expect("a lock nobody holds");
        let refused = folder.lock(Duration::ZERO).await.expect_err("it is held").to_string();
        assert!(refused.contains(&format!("belongs to process {}:", std::process::id())), "{refused}");
        drop(held);
        assert!(folder.lock(Duration::ZERO).await.is_ok());
    }

    #[test]
    fn a_tail_begins_where_the_last_start_began() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = dir.path().join("server.log");
        fs::write(&log, "old\none\ntwo\nthree\n").expect("a log");
        assert_eq!(tail(&log, 4, 2), "two\nthree");
        assert_eq!(tail(&log, 4, 9), "one\ntwo\nthree");
        assert_eq!(tail(&log, 999, 9), "(nothing)");
    }
}
