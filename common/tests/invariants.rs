//! The design's invariants: what is done in one place only, and what is absent. Each check is first shown that it can
//! fail.

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_owned()
}

/// All shipped source files below a folder, by their path from the workspace's folder.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((name, text));
            }
        }
    }
    found
}

/// All shipped source files.
fn shipped() -> Vec<(String, String)> {
    ["common/src", "producer/src", "workers/src", "ops/src"].into_iter().flat_map(sources).collect()
}

/// The lines of code that hold one of these words; comments and unit tests do not count.
fn holding<'a>(text: &'a str, words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
        .filter(|line| words.iter().any(|word| line.contains(word)))
}

/// Where the words stand though they may not.
fn strays(files: &[(String, String)], words: &[&str], allowed: &[&str]) -> Vec<String> {
    files
        .iter()
        .filter(|(name, _)| !allowed.iter().any(|room| name.starts_with(room)))
        .flat_map(|(name, text)| holding(text, words).map(move |line| format!("{name}: {}", line.trim())))
        .collect()
}

/// What Sluice is compared with has to do without its rooms.
const COMPARED: &str = "ops/src/bench/";

fn only_in(words: &[&str], allowed: &[&str]) {
    let files = shipped();
    let planted = vec![("ops/src/planted.rs".to_owned(), format!("let x = {};", words[0]))];
    assert!(!strays(&planted, words, allowed).is_empty(), "the check itself cannot fail");
    assert!(!strays(&files, words, &[]).is_empty(), "nobody does it at all: has it been renamed?");
    assert_eq!(strays(&files, words, allowed), Vec::<String>::new());
}

#[test]
fn only_delivery_answers_a_delivery() {
    only_in(
        &[".ack(", ".nack(", ".reject(", "basic_ack(", "basic_nack(", "basic_reject("],
        &["common/src/delivery/", COMPARED],
    );
}

#[test]
fn only_topology_spells_a_queues_name() {
    only_in(&["_queue\"", "_exchange\"", "_dlq\"", "_dlx\""], &["common/src/topology"]);
}

#[test]
fn only_the_store_holds_sql() {
    only_in(
        &["SELECT ", "INSERT INTO", "UPDATE posts", "DELETE FROM", "CREATE TABLE", "CREATE DATABASE", "ALTER TABLE"],
        &["common/src/store/", "common/src/testing/", "ops/src/demo", COMPARED],
    );
}

#[test]
fn only_failure_gives_a_kind_to_an_error_of_a_server() {
    only_in(&["lapin::ErrorKind", "ServerError", "DriverError", "mysql_async::Error::"], &["common/src/failure/"]);
}

#[test]
fn the_operators_tool_speaks_to_people_through_one_door() {
    // The other programs show nobody's texts. The demonstration and the measurements tell of themselves.
    let others = ["ops/src/output.rs", "ops/src/demo/", COMPARED];
    only_in(&["println!(", "eprint!("], &[&["common/", "producer/", "workers/"][..], &others[..]].concat());
}

#[test]
fn lapin_is_named_only_where_rabbitmq_is_spoken_to() {
    let rooms = ["topology", "broker", "publisher", "delivery/", "roll_call/", "failure/amqp", "testing/"];
    let rooms: Vec<_> = rooms.iter().map(|room| format!("common/src/{room}")).chain([COMPARED.to_owned()]).collect();
    only_in(&["lapin::"], &rooms.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn the_driver_of_mysql_is_named_only_where_mysql_is_spoken_to() {
    only_in(&["mysql_async"], &["common/src/store/", "common/src/failure/mysql.rs", "common/src/testing/", COMPARED]);
}

#[test]
fn posts_leave_over_http_only_by_the_outside_reviewers_client() {
    // The demonstration is its own sender, to its own front door; so is the load of a measurement.
    let allowed = ["common/src/reviewer/client.rs", "ops/src/demo/", COMPARED];
    only_in(&["hyper_util::client", "hyper_rustls", "reqwest"], &allowed);
}

#[test]
fn the_pure_rooms_know_no_clock_no_chance_and_no_waiting() {
    let pure = [
        "post",
        "verdict",
        "failure/mod",
        "retry",
        "disposition",
        "dead_letter",
        "kind",
        "reviewer/ask",
        "reviewer/breaker",
        "reviewer/merge",
        "reviewer/trouble",
        "reviewer/wire",
    ];
    let words = [
        ".await",
        "async ",
        "::now_utc(",
        "Instant::now(",
        "SystemTime::now(",
        "fastrand",
        "rand::",
        "now_v7",
        "new_v4",
    ];
    let files: Vec<_> = shipped()
        .into_iter()
        .filter(|(name, _)| pure.iter().any(|room| *name == format!("common/src/{room}.rs")))
        .collect();
    assert_eq!(files.len(), pure.len(), "a pure room has moved");
    let planted = vec![("planted.rs".to_owned(), "now.await;".to_owned())];
    assert!(!strays(&planted, &words, &[]).is_empty(), "the check itself cannot fail");
    assert_eq!(strays(&files, &words, &[]), Vec::<String>::new());
}

#[test]
fn programs_do_not_depend_on_each_other() {
    for package in ["producer", "workers", "ops"] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
        let shipped = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for other in ["producer", "workers", "ops"] {
            let depends = shipped
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} =")));
            assert!(!depends, "{package} depends on {other}");
        }
    }
}

#[test]
fn test_rooms_are_in_no_shipped_program() {
    for package in ["producer", "workers", "ops"] {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
        let shipped = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for feature in ["\"testing\"", "\"failpoints\""] {
            assert!(!shipped.contains(feature), "{package} ships what only tests may use");
        }
    }
}
