//! Where the servers' programs are on this machine.
//!
//! RabbitMQ's own start script is wanted, not the wrapper that distributions put on the `PATH`: the wrapper insists on
//! the system's user and folders. So the places where the scripts themselves live are looked at first.

use std::path::{Path, PathBuf};

use super::error::StackError;

/// What installs everything, without its `sudo`.
const INSTALL: &str = "apt-get install -y --no-install-recommends rabbitmq-server mariadb-server";

/// Before the `PATH`: where RabbitMQ's packages keep the scripts behind the wrappers.
const FIRST: [&str; 1] = ["/usr/lib/rabbitmq/bin"];

/// After the `PATH`: where servers live that a user's `PATH` often leaves out.
const LAST: [&str; 7] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/libexec", "/sbin", "/usr/lib/erlang/bin"];

/// The programs of a stack, each by its full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) rabbitmq_server: PathBuf,
    pub(super) epmd: PathBuf,
    pub(super) mariadbd: PathBuf,
    pub(super) mariadb_install_db: PathBuf,
    pub(super) setsid: PathBuf,
    /// What the programs' own `PATH` is: they call others.
    pub(super) path: std::ffi::OsString,
}

impl Programs {
    /// Looks in the usual places.
    pub(super) fn find() -> Result<Self, StackError> {
        Self::find_in(&places(), nix::unistd::geteuid().is_root())
    }

    fn find_in(places: &[PathBuf], root: bool) -> Result<Self, StackError> {
        let mut missing = Vec::new();
        let mut find = |name: &'static str| {
            places.iter().map(|place| place.join(name)).find(|file| is_program(file)).unwrap_or_else(|| {
                missing.push(name);
                PathBuf::new()
            })
        };
        let found = Self {
            rabbitmq_server: find("rabbitmq-server"),
            epmd: find("epmd"),
            mariadbd: find("mariadbd"),
            mariadb_install_db: find("mariadb-install-db"),
            setsid: find("setsid"),
            // Only a place with a colon in its name fails here, and such a place cannot be on a PATH at all.
            path: std::env::join_paths(places).unwrap_or_default(),
        };
        if missing.is_empty() {
            return Ok(found);
        }
        let install = if root { INSTALL.to_owned() } else { format!("sudo {INSTALL}") };
        Err(StackError::Missing { missing, install })
    }
}

/// Every folder to look in, in order.
fn places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = FIRST.iter().map(PathBuf::from);
    let last = LAST.iter().map(PathBuf::from);
    first.chain(std::env::split_paths(&path)).chain(last).filter(|place| place.is_absolute()).collect()
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::OpenOptionsExt as _;

    const ALL: [&str; 5] = ["rabbitmq-server", "epmd", "mariadbd", "mariadb-install-db", "setsid"];

    fn place(names: &[&str], mode: u32) -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a temporary folder");
        for name in names {
            let path = place.path().join(name);
            std::fs::File::options().create_new(true).write(true).mode(mode).open(path).expect("a program's file");
        }
        place
    }

    #[test]
    fn the_first_place_that_has_a_program_wins() {
        let (first, second) = (place(&["epmd", "setsid"], 0o755), place(&ALL, 0o755));
        let places = [first.path().to_owned(), second.path().to_owned()];
        let found = Programs::find_in(&places, true).expect("every program is in one place or the other");
        assert_eq!(found.epmd, first.path().join("epmd"));
        assert_eq!(found.mariadbd, second.path().join("mariadbd"));
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let place = place(&["epmd", "setsid", "mariadb-install-db"], 0o755);
        let error = Programs::find_in(&[place.path().to_owned()], false).expect_err("two programs are missing");
        assert_eq!(
            error.to_string(),
            "not installed: rabbitmq-server, mariadbd; install what a stack needs with: sudo apt-get install -y \
             --no-install-recommends rabbitmq-server mariadb-server",
        );
    }

    #[test]
    fn root_needs_no_sudo() {
        let error = Programs::find_in(&[], true).expect_err("nothing is anywhere");
        assert!(error.to_string().contains("with: apt-get install"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let place = place(&ALL, 0o644);
        assert!(Programs::find_in(&[place.path().to_owned()], true).is_err());
    }
}
