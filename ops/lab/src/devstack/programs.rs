//! Where the servers' programs are: on this machine, or in a root.
//!
//! RabbitMQ's own start script is wanted, not the wrapper that distributions put on the `PATH`: the wrapper insists on
//! the system's user and folders. So the places where the scripts themselves live are looked at first.

use std::path::{Path, PathBuf};

use super::error::StackError;
use super::folder::Folder;
use super::root::{self, Root};

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
    pub(super) database: DatabasePrograms,
    /// This machine's own, from wherever the servers are.
    pub(super) setsid: PathBuf,
    /// What the programs' own `PATH` is: they call others.
    pub(super) path: std::ffi::OsString,
    /// Inside which the servers' programs are, at these paths.
    pub(super) root: Option<Root>,
}

/// The programs of a database server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DatabasePrograms {
    Mariadb { mariadbd: PathBuf, mariadb_install_db: PathBuf },
    Mysql { mysqld: PathBuf },
}

impl Programs {
    /// The folder of the root that they are from, if they are not this machine's.
    pub(super) fn folder_of_root(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.path().to_owned())
    }

    /// Looks in the usual places, of this machine or of a root.
    pub(super) fn find(root: Option<&Path>) -> Result<Self, StackError> {
        match root {
            Some(root) => Self::find_inside(Root::at(root)?, &places()),
            None => Self::find_in(&places(), nix::unistd::geteuid().is_root()),
        }
    }

    /// Those that a stack in this folder needs: of the root that was asked for, or from where the folder's data belong.
    pub(super) fn for_folder(dir: Option<&Path>, asked: Option<&Path>) -> Result<Self, StackError> {
        let before = dir.map(Folder::existing).transpose()?.flatten().and_then(|folder| folder.record());
        let (Some(before), Some(dir)) = (before, dir) else { return Self::find(asked) };
        if let Some(asked) = asked.map(root::locate).transpose()?
            && before.root.as_ref() != Some(&asked)
        {
            return Err(StackError::OtherServers { dir: dir.to_owned(), theirs: before.root, asked });
        }
        Self::find(before.root.as_deref())
    }

    fn find_in(places: &[PathBuf], root: bool) -> Result<Self, StackError> {
        let mut search = Search { places, root: None, missing: Vec::new() };
        let found = Self {
            rabbitmq_server: search.find("rabbitmq-server"),
            epmd: search.find("epmd"),
            database: DatabasePrograms::Mariadb {
                mariadbd: search.find("mariadbd"),
                mariadb_install_db: search.find("mariadb-install-db"),
            },
            setsid: search.find("setsid"),
            path: path(places),
            root: None,
        };
        if search.missing.is_empty() {
            return Ok(found);
        }
        let install = if root { INSTALL.to_owned() } else { format!("sudo {INSTALL}") };
        Err(StackError::Missing { missing: search.missing, install })
    }

    fn find_inside(root: Root, places: &[PathBuf]) -> Result<Self, StackError> {
        let mut outside = Search { places, root: None, missing: Vec::new() };
        let setsid = outside.find("setsid");
        if let [_, ..] = outside.missing[..] {
            return Err(StackError::Missing {
                missing: outside.missing,
                install: "apt-get install util-linux".to_owned(),
            });
        }
        let mut search = Search { places, root: Some(&root), missing: Vec::new() };
        let rabbitmq_server = search.find("rabbitmq-server");
        let epmd = search.find("epmd");
        let database = DatabasePrograms::Mysql { mysqld: search.find("mysqld") };
        if search.missing.is_empty() {
            return Ok(Self { rabbitmq_server, epmd, database, setsid, path: path(places), root: Some(root) });
        }
        Err(StackError::RootLacks { path: root.path().to_owned(), missing: search.missing })
    }
}

/// A search for programs, and what it did not find.
struct Search<'a> {
    places: &'a [PathBuf],
    root: Option<&'a Root>,
    missing: Vec<&'static str>,
}

impl Search<'_> {
    fn find(&mut self, name: &'static str) -> PathBuf {
        let seen = |file: &Path| self.root.map_or_else(|| file.to_owned(), |root| root.outside(file));
        let found = self.places.iter().map(|place| place.join(name)).find(|file| is_program(&seen(file)));
        found.unwrap_or_else(|| {
            self.missing.push(name);
            PathBuf::new()
        })
    }
}

/// The places as a `PATH`.
fn path(places: &[PathBuf]) -> std::ffi::OsString {
    // Only a place with a colon in its name fails here, and such a place cannot be on a PATH at all.
    std::env::join_paths(places).unwrap_or_default()
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
        let mariadbd = second.path().join("mariadbd");
        assert!(matches!(found.database, DatabasePrograms::Mariadb { mariadbd: found, .. } if found == mariadbd));
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
