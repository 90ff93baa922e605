//! Files that are read completely: only regular ones up to a maximum size. Reading a pipe without a writer would block,
//! and a device has no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Opens a regular file.
///
/// # Errors
/// The system's, or what it is instead of a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened: that alone would wait for a pipe's other end.
    let kind = path.metadata()?.file_type();
    let what = match kind {
        _ if kind.is_file() => return File::open(path),
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::other(format!("it is {what}, not a regular file")))
}

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`], or that it is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_read_and_only_up_to_its_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").expect("a file");
        assert_eq!(read(&file, 5).expect("it fits"), b"12345");
        assert!(read(&file, 4).expect_err("it does not").to_string().contains("larger than 4 bytes"));
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
        for (path, what) in
            [(pipe.as_path(), "a pipe"), (folder.path(), "a folder"), (Path::new("/dev/zero"), "a device")]
        {
            let refused = read(path, 5).expect_err(what).to_string();
            assert!(refused.contains(what), "{refused}");
        }
    }
}
