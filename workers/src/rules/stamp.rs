//! Whether a file has changed, judged by its metadata; of a rules file also by those of the word lists beside and below
//! it.
//!
//! The files are polled, not watched: a watch covers a folder of one file system, misses what is mounted, linked or
//! renamed below it, and does not work on network file systems. Polling follows links, so that a changed link target
//! (as Kubernetes does with a ConfigMap) is noticed like any other change. It includes the inode's change time, because
//! a writer can set back the modification time, but not that one.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The file name extension of word lists.
const LISTS: &str = "txt";
/// How many levels of folders below the rules file's folder are read.
const BELOW: usize = 3;
/// The most word lists that are checked.
const LISTS_MAX: usize = 1000;

/// The state of the files at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(PathBuf, Option<Mark>)>);

/// What changes with a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Checks a rules file. A missing file has a stamp, too.
    #[must_use]
    pub(super) fn take(rules: &Path) -> Self {
        let folder = rules.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut files = Vec::new();
        gather(folder, BELOW, &mut files);
        files.sort();
        files.insert(0, rules.to_owned());
        Self(files.into_iter().map(marked).collect())
    }

    /// Checks a file that stands alone. A missing file has a stamp, too.
    #[must_use]
    pub(super) fn of_one(file: &Path) -> Self {
        Self(vec![marked(file.to_owned())])
    }
}

/// The word lists in a folder and so far below it. Hidden files are ignored: an editor's copies, or the folders between
/// which a ConfigMap's links switch.
fn gather(folder: &Path, below: usize, lists: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || lists.len() >= LISTS_MAX {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == LISTS) {
            lists.push(path);
        } else if below > 0 && path.is_dir() {
            gather(&path, below - 1, lists);
        }
    }
}

fn marked(file: PathBuf) -> (PathBuf, Option<Mark>) {
    let mark = mark(&file);
    (file, mark)
}

fn mark(file: &Path) -> Option<Mark> {
    let of = |file: Metadata| Mark {
        device: file.dev(),
        inode: file.ino(),
        bytes: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    };
    fs::metadata(file).ok().map(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_way_to_change_a_file_changes_its_stamp() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let rules = at("rules.toml");
        let mut stamps = vec![Stamp::take(&rules)];
        let mut changed = |how: &str| {
            let stamp = Stamp::take(&rules);
            assert!(!stamps.contains(&stamp), "{how}");
            assert_eq!(stamp, Stamp::take(&rules), "nothing happened in between");
            stamps.push(stamp);
        };
        fs::write(&rules, "one").expect("it can be written");
        changed("made");
        fs::write(&rules, "three").expect("it can be written");
        changed("written in place");
        fs::write(at("new"), "three").expect("it can be written");
        fs::rename(at("new"), &rules).expect("it can be renamed");
        changed("replaced by another of the same size");
        fs::write(at("list.txt"), "word").expect("it can be written");
        changed("a word list came");
        fs::create_dir(at("zh")).expect("a folder");
        fs::write(at("zh/list.txt"), "word").expect("it can be written");
        changed("a word list came below");
        fs::write(at("zh/list.txt"), "words").expect("it can be written");
        changed("it changed");
        fs::create_dir(at("v1")).expect("a folder");
        fs::create_dir(at("v2")).expect("a folder");
        fs::write(at("v1/rules.toml"), "four").expect("it can be written");
        fs::write(at("v2/rules.toml"), "five").expect("it can be written");
        symlink("v1", at("data")).expect("a link");
        fs::remove_file(&rules).expect("it can be removed");
        changed("removed");
        symlink("data/rules.toml", &rules).expect("a link");
        changed("a link now");
        symlink("v2", at("data_new")).expect("a link");
        fs::rename(at("data_new"), at("data")).expect("it can be renamed");
        changed("a link to a link to another folder, as with a ConfigMap");
    }

    #[test]
    fn what_is_no_word_list_is_not_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = folder.path().join("rules.toml");
        fs::write(&rules, "one").expect("it can be written");
        let before = Stamp::take(&rules);
        fs::write(folder.path().join(".rules.toml.swp"), "an editor's").expect("it can be written");
        assert_eq!(Stamp::take(&rules), before);
    }
}
