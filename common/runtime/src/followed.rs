//! A file that is read again when it changes. One that is wrong keeps what was read before.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sluice_core::config::ConfigError;
use sluice_core::visible::cut;
use tokio_util::sync::CancellationToken;

/// The time between two looks at the file.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the file; the second argument is what it said before, if it was read before.
pub type Reading<T> = Box<dyn Fn(&Path, Option<&T>) -> Result<T, ConfigError> + Send + Sync>;

/// What the file says, now.
pub struct Followed<T> {
    current: ArcSwap<T>,
    file: Option<File<T>>,
}

struct File<T> {
    path: PathBuf,
    read: Reading<T>,
    /// How it stood before it was first read.
    first: Option<Stamp>,
}

/// What changes with a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    /// Of the inode: rights are changed without the content.
    changed: (i64, i64),
}

impl<T: Send + Sync + 'static> Followed<T> {
    /// What does not change.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        Self { current: ArcSwap::from_pointee(value), file: None }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(path: &Path, read: Reading<T>) -> Result<Self, ConfigError> {
        let first = stamp(path);
        let value = read(path, None)?;
        let file = File { path: path.to_owned(), read, first };
        Ok(Self { current: ArcSwap::from_pointee(value), file: Some(file) })
    }

    /// What it says.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Looks at the file until the end.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let Some(file) = &self.file else { return };
        let mut last = file.first;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let now = stamp(&file.path);
            if now == last {
                continue;
            }
            last = now;
            match (file.read)(&file.path, Some(&self.current.load())) {
                Ok(value) => {
                    self.current.store(Arc::new(value));
                    let file = cut(&file.path.display().to_string(), 200);
                    tracing::info!(file, "a file was changed, and is read again");
                }
                Err(error) => {
                    tracing::error!(%error, "a file was changed and is wrong; what it said before stays in force");
                }
            }
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    Some(Stamp {
        inode: file.ino(),
        bytes: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml_file;

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_again_when_it_changes_and_a_wrong_one_keeps_the_old() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("number");
        fs::write(&path, "1").expect("it can be written");
        let read = || -> Reading<u32> {
            Box::new(|path, _| {
                let wrong = |problem: &str| toml_file::wrong("SETTING", path, problem);
                let text = toml_file::read(path).map_err(|problem| wrong(&problem))?;
                text.parse().map_err(|_| wrong("no number"))
            })
        };
        let followed = Arc::new(Followed::read(&path, read()).expect("it is in order"));
        let stop = CancellationToken::new();
        let following = tokio::spawn(Arc::clone(&followed).follow(stop.clone()));
        let becomes = async |value: u32| {
            for _ in 0..50 {
                tokio::time::sleep(LOOK).await;
                if *followed.now() == value {
                    return true;
                }
            }
            false
        };
        fs::write(&path, "22").expect("it can be written");
        assert!(becomes(22).await);
        fs::write(&path, "no number").expect("it can be written");
        assert!(!becomes(1).await && *followed.now() == 22);
        fs::remove_file(&path).expect("it can be removed");
        assert!(!becomes(1).await && *followed.now() == 22);
        fs::write(&path, "333").expect("it can be written");
        assert!(becomes(333).await);
        stop.cancel();
        following.await.expect("it ends");
        fs::write(&path, "x").expect("it can be written");
        let refused = Followed::read(&path, read()).err().expect("it is wrong");
        assert_eq!(refused.setting, "SETTING");
    }
}
