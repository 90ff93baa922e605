//! `publish` and `generate`: receipts are exactly what the broker has confirmed.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use sluice_core::post::PostId;
use sluice_lab::testing::{DEADLINE, Program};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{Ground, PROGRAM, ended, gzip, ids, receipts, until_lines};

/// A folder with a file of posts and a place for receipts.
fn desk(posts: &[u8]) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, ids) = (folder.path().join("posts.ndjson"), folder.path().join("receipts"));
    std::fs::write(&file, posts).expect("a file");
    (folder, file, ids)
}

pub(crate) fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

pub(crate) fn many(posts: usize) -> String {
    (1..=posts).map(|number| format!("{{\"title\":\"post {number}\",\"content\":\"some text\"}}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_named_and_left_out_and_the_receipts_are_what_is_in_the_queue() {
    let ground = Ground::new();
    let id = PostId::new();
    let mut posts = many(1200).into_bytes();
    posts.extend_from_slice(b"nonsense\n\n{\"title\":\"t\"}\n{\"title\":\"\xff\",\"content\":\"c\"}\n");
    posts.extend_from_slice(format!("{{\"title\":\"{}\"}}\n", "x".repeat(1024 * 1024)).as_bytes());
    posts.extend_from_slice(format!("{{\"title\":\"last\",\"content\":\"c\",\"id\":\"{id}\"}}").as_bytes());
    let (_folder, file, ids_file) = desk(&posts);
    let output = ground.run(&["publish", text(&file), "--receipts", text(&ids_file)], &[]).await;
    let shown = output.said;
    assert_eq!(output.code, Some(3), "{shown}");
    let bad: Vec<_> = shown.lines().filter_map(|line| line.strip_prefix(text(&file))).collect();
    assert_eq!(bad.len(), 4, "{shown}");
    for (line, start) in
        bad.iter().zip([":1201: not JSON", ":1203: content is missing", ":1204: not JSON", ":1205: longer than"])
    {
        assert!(line.starts_with(start), "{line} should start with {start}");
    }
    assert!(shown.contains("1205 read, 1201 published, 4 bad in "), "{shown}");
    let written = receipts(&ids_file);
    assert_eq!(written.len(), 1201);
    assert!(written.contains(&id.to_string()));
    assert_eq!(ids(&ground.take_all().await), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_file_is_read_as_what_it_holds_whatever_it_is_called_and_from_stdin_too() {
    let ground = Ground::new();
    let posts = format!("\u{feff}{}{{\"title\":\"\u{200b}\",\"content\":\"c\"}}\n", many(1000));
    let (_folder, file, ids_file) = desk(&gzip(&posts).await);
    let output = ground.run(&["publish", text(&file), "--receipts", text(&ids_file)], &[]).await;
    assert_eq!(output.code, Some(3), "{}", output.said);
    assert!(output.said.contains(":1001: title must not be empty"), "{}", output.said);
    let piped = ["-c", "exec \"$0\" publish - --receipts \"$2\" < \"$1\"", PROGRAM, text(&file), text(&ids_file)];
    let output = ended(Program::start("/bin/sh", &piped, &ground.environment())).await;
    assert!(output.said.contains("1001 read, 1000 published, 1 bad"), "{}", output.said);
    let written = receipts(&ids_file);
    assert_eq!(written.len(), 2000);
    assert_eq!(ids(&ground.take_all().await), written);

    let cut = &gzip(&posts).await[..500];
    let (_folder, file, _) = desk(cut);
    let output = ground.run(&["publish", text(&file)], &[]).await;
    assert_eq!(output.code, Some(1), "{}", output.said);
    assert!(output.said.contains("cannot read"), "{}", output.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_in_the_order_of_the_lines_and_are_added_to() {
    let ground = Ground::new();
    let own: Vec<_> = (0..3000).map(|_| PostId::new().to_string()).collect();
    let posts: String =
        own.iter().map(|id| format!("{{\"id\":\"{id}\",\"title\":\"t\",\"content\":\"c\"}}\n")).collect();
    let (_folder, file, ids_file) = desk(posts.as_bytes());
    std::fs::write(&ids_file, "before\n").expect("a file");
    let output = ground.run(&["publish", text(&file), "--receipts", text(&ids_file)], &[]).await;
    assert_eq!(output.code, Some(0), "{}", output.said);
    let written = std::fs::read_to_string(&ids_file).expect("receipts");
    assert!(written.lines().eq(["before"].into_iter().chain(own.iter().map(String::as_str))), "out of order");
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_are_taken_from_stdin_as_they_come() {
    let ground = Ground::new();
    let (_folder, _, ids_file) = desk(b"");
    let mut program = Command::new(PROGRAM);
    program.args(["publish", "-", "--receipts", text(&ids_file)]).envs(ground.environment());
    program.stdin(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut running = program.spawn().expect("it starts");
    let mut stdin = running.stdin.take().expect("it is piped");
    for number in 1..=3 {
        stdin.write_all(many(1).as_bytes()).await.expect("it reads");
        until_lines(&ids_file, number).await;
    }
    drop(stdin);
    let status = tokio::time::timeout(DEADLINE, running.wait()).await.expect("it ends").expect("a status");
    assert_eq!(status.code(), Some(0));
    assert_eq!(ids(&ground.take_all().await), receipts(&ids_file));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_finishes_what_is_under_way_and_says_where_to_go_on() {
    let ground = Ground::new();
    let (_folder, file, ids_file) = desk(many(100_000).as_bytes());
    let args = ["publish", text(&file), "--receipts", text(&ids_file), "--rate", "2000"];
    let program = ground.start(&args, &[]);
    until_lines(&ids_file, 300).await;
    program.signal(Signal::SIGINT);
    let output = ended(program).await;
    assert_eq!(output.code, Some(1), "{}", output.said);
    let written = receipts(&ids_file);
    let expected = format!("lines 1..={} of {}", written.len(), text(&file));
    assert!(output.said.contains(&expected), "{} does not say {expected}", output.said);
    assert!(output.said.contains(&format!("continue from line {}", written.len() + 1)), "{}", output.said);
    assert_eq!(ids(&ground.take_all().await), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_waited_for_and_then_given_up_with_the_line_to_go_on_from() {
    let ground = Ground::with_max_length(Some(100));
    let (_folder, file, ids_file) = desk(many(2000).as_bytes());
    let args = ["publish", text(&file), "--receipts", text(&ids_file), "--patience", "1s"];
    let output = ground.run(&args, &[]).await;
    let shown = output.said;
    assert_eq!(output.code, Some(1), "{shown}");
    assert!(shown.contains("the queue is full") && shown.contains("continue from line "), "{shown}");
    assert_eq!(ids(&ground.take_all().await), receipts(&ids_file));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_named() {
    let ground = Ground::new();
    let (folder, file, _) = desk(many(1).as_bytes());
    let folder = text(folder.path());
    for (args, named) in [
        (vec!["publish", "/nowhere/posts"], "/nowhere/posts"),
        (vec!["publish", folder], folder),
        (vec!["publish", text(&file), "--receipts", "/nowhere/receipts"], "/nowhere/receipts"),
        (vec!["publish", text(&file), "--receipts", "/dev/full"], "/dev/full"),
    ] {
        let output = ground.run(&args, &[]).await;
        assert_eq!(output.code, Some(1), "{args:?}: {}", output.said);
        assert!(output.said.contains(named), "{args:?}: {}", output.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_posts_are_published_at_their_rate_and_the_same_seed_gives_the_same_texts() {
    let ground = Ground::new();
    let (_folder, _, ids_file) = desk(b"");
    let mut runs = Vec::new();
    for _ in 0..2 {
        let begun = std::time::Instant::now();
        let args = ["generate", "--count", "100", "--rate", "100", "--seed", "7", "--receipts", text(&ids_file)];
        let output = ground.run(&args, &[]).await;
        assert_eq!(output.code, Some(0), "{}", output.said);
        assert!(begun.elapsed() > Duration::from_millis(900), "{:?} is too fast", begun.elapsed());
        let messages = ground.take_all().await;
        let mut texts: Vec<_> =
            messages.iter().map(|m| (m.body["title"].to_string(), m.body["content"].to_string())).collect();
        texts.sort();
        runs.push((ids(&messages), texts));
    }
    assert_eq!(runs[0].1, runs[1].1, "the texts");
    let mut all: Vec<_> = runs.iter().flat_map(|(ids, _)| ids.clone()).collect();
    all.sort();
    assert_eq!(all, receipts(&ids_file));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_generator_ends_well_by_a_signal() {
    let ground = Ground::new();
    let (_folder, _, ids_file) = desk(b"");
    let program = ground.start(&["generate", "--rate", "50", "--receipts", text(&ids_file)], &[]);
    until_lines(&ids_file, 10).await;
    program.signal(Signal::SIGTERM);
    let output = ended(program).await;
    assert_eq!(output.code, Some(0), "{}", output.said);
    assert_eq!(ids(&ground.take_all().await), receipts(&ids_file));
}
