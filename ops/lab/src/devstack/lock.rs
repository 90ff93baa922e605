//! The lock of a stack's folder, for starting and ending its servers.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::error::StackError;
use super::folder::Folder;

/// How often a held lock is tried again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

impl Folder {
    /// The lock for starting or ending servers here, waited for at most `patience`. It ends with the file, or the
    /// process.
    pub(super) async fn lock(&self, patience: Duration) -> Result<File, StackError> {
        let path = self.path().join("stack.lock");
        let file = File::options().create(true).append(true).open(&path).map_err(StackError::folder(&path))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return self.sign(file),
                Err(TryLockError::Error(problem)) => return Err(StackError::Folder { path, problem }),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    let pid = fs::read_to_string(&path).unwrap_or_default();
                    let owner = if pid.is_empty() { "another process".to_owned() } else { format!("process {pid}") };
                    return Err(StackError::InUse { dir: self.path().to_owned(), owner });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    /// Writes the process that holds the lock into it, for the error of others.
    fn sign(&self, mut lock: File) -> Result<File, StackError> {
        let signed = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
        signed.map(|()| lock).map_err(StackError::folder(self.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
