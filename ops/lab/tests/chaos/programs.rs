//! Where the three programs are: those built for this test, or those of a folder that was named.

use std::path::{Path, PathBuf};

use sluice_lab::testing::Program;

/// Names a folder with other builds of the programs, as `ops/test --chaos` does with released ones.
pub(crate) const PROGRAMS: &str = "SLUICE_CHAOS_PROGRAMS";

/// The folder of the programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// Finds them.
    pub(crate) fn find() -> Self {
        let built = || Path::new(env!("CARGO_BIN_EXE_sluice-lab")).parent().expect("a file is in a folder").to_owned();
        let folder = std::env::var_os(PROGRAMS).map_or_else(built, PathBuf::from);
        for name in ["sluice", "sluice-producer", "sluice-worker"] {
            let program = folder.join(name);
            assert!(program.is_file(), "{} is missing: cargo build --workspace --bins", program.display());
        }
        Self(folder)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// A program's path.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Starts one.
    pub(crate) fn start(&self, name: &str, args: &[&str], environment: &[(&str, String)]) -> Program {
        Program::start(&self.path(name), args, environment)
    }
}
