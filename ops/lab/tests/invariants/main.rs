//! The design's invariants: what is done in one place only, and what is absent. Each check is first shown that it can
//! fail.

mod circles;
mod lengths;

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of all packages.
const PACKAGES: [&str; 11] = [
    "common/core",
    "common/https",
    "common/traces",
    "common/runtime",
    "common/rabbit",
    "common/mysql",
    "common/review",
    "producer",
    "workers",
    "ops/cli",
    "ops/lab",
];

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is in the workspace").to_owned()
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
    PACKAGES.into_iter().flat_map(|package| sources(&format!("{package}/src"))).collect()
}

/// The lines of code that hold one of these words; comments and unit tests do not count.
fn holding<'a>(text: &'a str, words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]") && !line.starts_with("#![cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
        .filter(|line| words.iter().any(|word| line.contains(word)))
}

/// Where the words stand though they may not.
fn strays(files: &[(String, String)], words: &[&str], allowed: &[&str]) -> Vec<String> {
    files
        .iter()
        .filter(|(name, _)| !allowed.iter().any(|place| name.starts_with(place)))
        .flat_map(|(name, text)| holding(text, words).map(move |line| format!("{name}: {}", line.trim())))
        .collect()
}

/// What Sluice is compared with has to do without its modules.
const COMPARED: &str = "ops/lab/src/bench/";

fn only_in(words: &[&str], allowed: &[&str]) {
    let files = shipped();
    let planted = vec![("ops/planted.rs".to_owned(), format!("let x = {};", words[0]))];
    assert!(!strays(&planted, words, allowed).is_empty(), "the check itself cannot fail");
    assert!(!strays(&files, words, &[]).is_empty(), "nobody does it at all: has it been renamed?");
    assert_eq!(strays(&files, words, allowed), Vec::<String>::new());
}

#[test]
fn only_delivery_answers_a_delivery() {
    only_in(
        &[".ack(", ".nack(", ".reject(", "basic_ack(", "basic_nack(", "basic_reject("],
        &["common/rabbit/src/delivery/", "common/rabbit/src/dead_letters/", COMPARED],
    );
}

#[test]
fn only_topology_spells_a_queues_name() {
    only_in(&["_queue\"", "_exchange\"", "_dlq\"", "_dlx\"", "{}_decisions\""], &["common/rabbit/src/topology"]);
}

#[test]
fn only_the_store_holds_sql() {
    only_in(
        &["SELECT ", "INSERT INTO", "UPDATE posts", "DELETE FROM", "CREATE TABLE", "CREATE DATABASE", "ALTER TABLE"],
        &["common/mysql/src/", "ops/lab/src/testing/", "ops/lab/src/demo", COMPARED],
    );
}

#[test]
fn only_failure_gives_a_kind_to_an_error_of_a_server() {
    only_in(
        &["lapin::ErrorKind", "ServerError", "DriverError", "mysql_async::Error::"],
        &["common/rabbit/src/failure.rs", "common/mysql/src/failure.rs"],
    );
}

#[test]
fn the_operators_tool_speaks_to_people_through_one_door() {
    only_in(
        &["println!(", "eprint!("],
        &["common/runtime/src/output.rs", "ops/lab/", "producer/", "workers/", "common/"],
    );
    let told = sources("ops/cli/src").iter().any(|(_, text)| holding(text, &["report!("]).next().is_some());
    assert!(told, "nobody tells anything: has it been renamed?");
}

#[test]
fn no_template_turns_escaping_off_and_nothing_is_loaded_from_elsewhere() {
    let files = |folder: &str| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder of the console");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| (path.display().to_string(), fs::read_to_string(path).expect("a text"))).collect::<Vec<_>>()
    };
    let forbidden = |text: &str| {
        let squeezed: String = text.split_whitespace().collect::<String>().to_lowercase();
        let words = [
            "|safe",
            "|escape",
            "|e(",
            "autoescape",
            "://",
            "<style",
            "style=",
            "onclick=",
            "javascript:",
            "innerhtml",
        ];
        words.into_iter().filter(|word| squeezed.contains(word)).collect::<Vec<_>>()
    };
    assert_eq!(forbidden("{{ title | safe }}"), ["|safe"], "the check itself cannot fail");
    for (name, text) in files("ops/cli/templates").into_iter().chain(files("ops/cli/assets")) {
        // What a drawing is written in has such a name.
        let text = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert_eq!(forbidden(&text), Vec::<&str>::new(), "{name}");
    }
    let escape = strays(&shipped(), &["escape = \"none\"", "ext = \"txt\"", "HtmlSafe"], &[]);
    assert_eq!(escape, Vec::<String>::new(), "templates of other kinds are not escaped");
}

/// The packages whose programs or libraries depend on a crate, by their folders.
fn dependents(crate_name: &str) -> Vec<&'static str> {
    let depends = |package: &&str| {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
        let shipped = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        shipped.lines().any(|line| line.split(['.', ' ']).next() == Some(crate_name))
    };
    PACKAGES.into_iter().filter(depends).collect()
}

#[test]
fn each_server_is_spoken_to_by_one_package() {
    // What Sluice is compared with, and what tests do to the servers, has to do without our packages.
    assert_eq!(dependents("lapin"), ["common/rabbit", "ops/lab"]);
    assert_eq!(dependents("deadpool-lapin"), ["common/rabbit"]);
    assert_eq!(dependents("mysql_async"), ["common/mysql", "ops/lab"]);
}

#[test]
fn posts_leave_over_http_only_by_the_outside_reviewers_client() {
    // The demonstration is its own sender, to its own front door; so is the load of a measurement.
    let allowed = ["common/https/src/", "ops/lab/src/demo/", COMPARED];
    only_in(&["hyper_util::client", "hyper_rustls", "reqwest"], &allowed);
    // The sender of decisions sends events, and no event holds a text of a post: next test.
    // So do what asks a health page, and what asks for a cluster's members: they have no post, and send nothing. The
    // exporter of spans knows no post: below.
    let clients = [
        "common/review/src/reviewer/client.rs",
        "common/traces/src/export.rs",
        "ops/cli/src/console/sender/client.rs",
        "ops/cli/src/members.rs",
        "ops/cli/src/probe.rs",
    ];
    only_in(&["sluice_https::"], &clients);
    assert_eq!(dependents("sluice-https"), ["common/traces", "common/review", "ops/cli"]);
}

#[test]
fn no_span_can_hold_a_posts_text_for_the_package_of_spans_knows_no_post() {
    let text = ["sluice_core::post", ".title", ".content", ".author", "Failure"];
    let stray = |files: &[(String, String)]| strays(files, &text, &[]);
    assert_eq!(stray(&[("planted.rs".to_owned(), "use sluice_core::post::Post;".to_owned())]).len(), 1);
    let spans = sources("common/traces/src");
    assert!(spans.len() > 5, "a file has moved");
    assert_eq!(stray(&spans), Vec::<String>::new());
    // Who begins spans says only these things of a step.
    let said: Vec<String> = shipped()
        .iter()
        .filter(|(name, _)| name.starts_with("producer/src/") || name.starts_with("workers/src/"))
        .flat_map(|(name, text)| {
            holding(text, &["span.set("]).map(move |line| format!("{name}: {}", line.trim())).collect::<Vec<_>>()
        })
        .filter(|line| !SAID_BY_SPANS.iter().any(|name| line.contains(name)))
        .collect();
    assert_eq!(said, Vec::<String>::new());
}

/// The attributes of spans.
const SAID_BY_SPANS: [&str; 9] = [
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "messaging.system",
    "messaging.message.id",
    "sluice.verdict",
    "sluice.outcome",
    "sluice.settlement",
    "sluice.replays",
];

#[test]
fn no_event_holds_a_posts_text_and_the_sender_of_events_knows_no_post() {
    let text = [".title", ".content", "title:", "content:", "StoredPost", "HeldPost", "core::post::Post"];
    let stray = |files: &[(String, String)]| strays(files, &text, &[]);
    assert_eq!(stray(&[("planted.rs".to_owned(), "pub title: String,".to_owned())]).len(), 1);
    let event: Vec<_> =
        shipped().into_iter().filter(|(name, _)| name == "common/core/src/moderation/event.rs").collect();
    let sender = sources("ops/cli/src/console/sender");
    assert!(event.len() == 1 && sender.len() > 5, "a file has moved");
    assert_eq!(stray(&event), Vec::<String>::new());
    assert_eq!(stray(&sender), Vec::<String>::new());
}

#[test]
fn the_pure_modules_know_no_clock_no_chance_and_no_waiting() {
    // What makes an id is the one exception: it takes a number by chance and the time.
    let core = sources("common/core/src").into_iter().filter(|(name, _)| !name.ends_with("/new_id.rs"));
    let reviewer =
        ["ask", "breaker", "merge", "error", "wire"].map(|file| format!("common/review/src/reviewer/{file}.rs"));
    let reviewer_files: Vec<_> = shipped().into_iter().filter(|(name, _)| reviewer.contains(name)).collect();
    assert_eq!(reviewer_files.len(), reviewer.len(), "a pure module has moved");
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
    let copies = sources("common/review/src/copies");
    assert!(copies.len() > 5, "a pure module has moved");
    let files: Vec<_> = core.chain(reviewer_files).chain(copies).collect();
    let planted = vec![("planted.rs".to_owned(), "now.await;".to_owned())];
    assert!(!strays(&planted, &words, &[]).is_empty(), "the check itself cannot fail");
    assert_eq!(strays(&files, &words, &[]), Vec::<String>::new());
}

#[test]
fn programs_do_not_depend_on_each_other() {
    for program in ["sluice", "sluice-worker", "sluice-producer"] {
        assert_eq!(dependents(program), Vec::<&str>::new(), "on {program}");
    }
    assert_eq!(dependents("sluice-mysql"), ["workers", "ops/cli", "ops/lab"]);
    assert_eq!(dependents("sluice-lab"), Vec::<&str>::new(), "what tests share is in no program");
}
