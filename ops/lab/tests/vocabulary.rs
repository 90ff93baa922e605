//! One thing has one word, and it is the field's (docs/GLOSSARY.md). These are words that Sluice once had of its own.

use std::fs;
use std::path::{Path, PathBuf};

/// What is not said any more, and what is said instead.
const REPLACED: [(&[&str], &str); 22] = [
    (&["roll call", "crew", "presence"], "worker status, workers"),
    (&["act letters", "operation letters"], "operation_items"),
    (&["kept letters", "pile", "piles"], "archived dead letters"),
    (&["deed", "doer"], "operation, action, executor"),
    (&["ledger"], "audit log, ack tracker"),
    (&["outlook", "outlooks"], "forecast"),
    (&["consent"], "preview, confirmation"),
    (&["parcel", "parcels"], "chunk"),
    (&["carrier", "carriers"], "retrying publisher"),
    (&["in hand", "in a worker s hand"], "in flight"),
    (&["vitals"], "health"),
    (&["lane", "lanes"], "micro-batcher"),
    (&["set aside", "sets aside", "setting aside"], "dead-lettered"),
    (&["mend", "mends", "mended", "mending"], "fix"),
    (&["the way out"], "the fix"),
    (&["seat", "seats"], "slots"),
    (&["passed over"], "skipped"),
    (&["undrop", "undropped"], "restore, restored"),
    (&["renew", "renewed"], "republish"),
    (&["looker", "lookers"], "browser"),
    (&["never speaks", "can never speak"], "can never match"),
    (&["is away", "are away", "was away", "were away"], "is down"),
];

/// Texts that are not ours, dictionaries, and this test.
const FOREIGN: [&str; 6] = [
    "common/review/rules",
    "common/review/src/spelling.rs",
    "common/review/tests",
    "ops/lab/samples",
    "ops/lab/src/bench/posts.rs",
    "ops/lab/tests/vocabulary.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is in the workspace").to_owned()
}

/// Code, pages and scripts, by their path from the workspace's folder.
fn ours() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> =
        ["common", "producer", "workers", "ops", "docs"].into_iter().map(|name| root().join(name)).collect();
    let mut files = vec![root().join("README.md"), root().join("CHANGELOG.md"), root().join("CONTRIBUTING.md")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => open.push(path),
                Some("rs" | "md" | "sql" | "sh") => files.push(path),
                _ => {}
            }
        }
    }
    for path in files {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        if !FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
            found.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    found
}

/// The words of a line, lower case, names taken apart, each between two spaces.
fn words(line: &str) -> String {
    let mut words = String::from(" ");
    let mut before = ' ';
    for c in line.chars() {
        match c {
            _ if c.is_alphanumeric() => {
                if c.is_uppercase() && before.is_lowercase() {
                    words.push(' ');
                }
                words.extend(c.to_lowercase());
            }
            _ if words.ends_with(' ') => {}
            _ => words.push(' '),
        }
        before = c;
    }
    words.push(' ');
    words
}

/// Whether a line speaks of letters that are neither dead letters nor those of an alphabet.
fn names_a_letter(words: &str) -> bool {
    let mut rest = words;
    while let Some((before, after)) = rest.split_once(" letter") {
        let is_word = after.starts_with(' ') || after.starts_with("s ");
        let alphabet = ["ascii", "digit", "latin", "capital", "look", "term", "word", "accent", "white", "masked"];
        // Comments are wrapped, also between the two words.
        let goes_on = before.trim().is_empty();
        if is_word && !goes_on && !before.ends_with("dead") && !alphabet.iter().any(|known| words.contains(known)) {
            return true;
        }
        rest = after;
    }
    false
}

fn strays(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files {
        for (number, line) in (1..).zip(text.lines()) {
            let words = words(line);
            for (old, new) in REPLACED {
                if old.iter().any(|old| words.contains(&format!(" {old} "))) {
                    found.push(format!("{name}:{number}: {} (say {new})", line.trim()));
                }
            }
            if !name.starts_with("common/review") && names_a_letter(&words) {
                found.push(format!("{name}:{number}: {} (say dead letter)", line.trim()));
            }
        }
    }
    found
}

#[test]
fn no_word_of_our_own_stands_where_the_field_has_one() {
    for planted in
        ["fn roll_call() {}", "struct CrewMember;", "// It was set aside.", "let letter = 1;", "the letters of"]
    {
        assert_eq!(strays(&[("planted.rs".to_owned(), planted.to_owned())]).len(), 1, "{planted}");
    }
    for fine in ["a dead letter", "dead_letters", "DeadLetter", "ASCII letters, digits", "as they are put aside"] {
        assert_eq!(strays(&[("fine.rs".to_owned(), fine.to_owned())]), Vec::<String>::new());
    }
    let found = strays(&ours());
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}
