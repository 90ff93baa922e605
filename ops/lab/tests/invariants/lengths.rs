//! No file is too long to be read at one sitting.

use super::shipped;

/// The most lines of a file. One that grows beyond it holds two things: each gets a file of its own.
const MOST: usize = 250;

/// The files that are longer, with their lengths.
fn too_long(files: &[(String, String)]) -> Vec<String> {
    let long = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > MOST).then(|| format!("{name}: {lines} lines"))
    };
    files.iter().filter_map(long).collect()
}

#[test]
fn no_file_has_more_than_250_lines() {
    let planted = ["x\n".repeat(MOST), "x\n".repeat(MOST + 1)].map(|text| ("planted.rs".to_owned(), text));
    assert_eq!(too_long(&planted), ["planted.rs: 251 lines"], "the check itself finds what is there");
    assert_eq!(too_long(&shipped()), Vec::<String>::new());
}
