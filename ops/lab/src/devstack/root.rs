//! A root: a folder that holds a whole system with other servers than this machine's, made by `ops/newest`.
//!
//! Its programs run inside it, each in a mount namespace of its own, so that nothing stays mounted when they end; and
//! they see the stack's folder under the path that it has outside, so that nothing else has to know of the root.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::StackError;

const SCRIPT: &str = include_str!("root.sh");

/// A root's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    path: PathBuf,
}

impl Root {
    /// The root at `path`.
    pub(super) fn at(path: &Path) -> Result<Self, StackError> {
        let path = locate(path)?;
        if nix::unistd::geteuid().is_root() { Ok(Self { path }) } else { Err(StackError::RootIsForRoot(path)) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a place of the root is, seen from outside.
    pub(super) fn outside(&self, inside: &Path) -> PathBuf {
        self.path.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Makes a command, of which nothing is given yet but a program that runs others, run a program inside; to be
    /// followed by that program and its arguments.
    pub(super) fn enter(&self, command: &mut Command, folder: &Path) {
        command.args(["unshare", "--mount", "sh", "-c", SCRIPT, "root.sh"]).arg(&self.path).arg(folder);
    }
}

/// A root's full path.
pub(super) fn locate(path: &Path) -> Result<PathBuf, StackError> {
    path.canonicalize().map_err(|problem| StackError::NoRoot { path: path.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_root_lies_below_it() {
        let root = Root { path: "/srv/newest".into() };
        assert_eq!(root.outside(Path::new("/usr/sbin")), Path::new("/srv/newest/usr/sbin"));
    }

    #[test]
    fn a_root_that_is_not_there_is_named_with_what_makes_one() {
        let error = Root::at(Path::new("/nowhere/newest")).expect_err("it is not there").to_string();
        assert!(error.contains("/nowhere/newest") && error.contains("ops/newest"), "{error}");
    }
}
