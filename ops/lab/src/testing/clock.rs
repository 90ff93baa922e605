//! A wall clock that a test sets, for one program: libfaketime, read anew at each look at the clock.

use std::path::{Path, PathBuf};

/// The library's version for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Puts a program's wall clock where a file says, and leaves its other clocks alone.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    /// A clock that is right, with its file in this folder.
    ///
    /// # Panics
    /// When libfaketime is not installed.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock"), library: library() };
        clock.set(0);
        clock
    }

    /// Puts it so many seconds ahead of the true time, in one step, so that nobody reads half of it.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn set(&self, ahead: i64) {
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{ahead:+}\n")).expect("the folder is the test's own");
        std::fs::rename(&fresh, &self.file).expect("the folder is the test's own");
    }

    /// What makes a program go by it.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// Below one of the folders for libraries, or below the machine's own in them.
fn library() -> PathBuf {
    let places = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    let inner = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
    let folders = places.iter().map(|place| place.to_path_buf()).chain(inner.map(|entry| entry.path()));
    let mut found = folders.map(|folder| folder.join(LIBRARY)).filter(|file| file.exists());
    found.next().expect("libfaketime is not installed: run `ops/install libfaketime`")
}
