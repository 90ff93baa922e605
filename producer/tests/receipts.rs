//! Receipts of posts that came over HTTP: each accepted one has one, whatever becomes of the file.

#[allow(dead_code, reason = "not all of it is needed here")]
mod support;

use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use support::{Ground, Reply, ended, ids, receipts, until, until_lines};

#[tokio::test(flavor = "multi_thread")]
async fn each_accepted_post_and_no_other_has_a_receipt_promptly_and_at_the_end() {
    let (ground, folder) = (Ground::new(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("ids");
    let server = ground.serve_with(&["--receipts", file.to_str().expect("UTF-8")], &[]).await;
    let mut accepted = vec![server.submit("one").await.id(), server.submit("two").await.id()];
    until_lines(&file, 2).await;
    assert_eq!(Reply::of(server.post("/posts", "application/json", "{}")).await.status, 422);
    let body = "{\"title\":\"t\",\"content\":\"c\"}\nno post\n".repeat(300);
    let reply = Reply::of(server.post("/posts/batch", "application/x-ndjson", body)).await;
    let results = reply.text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    accepted.extend(results.filter_map(|result| result["id"].as_str().map(str::to_owned)));
    server.program.signal(Signal::SIGTERM);
    assert_eq!(ended(server.program).await.code, Some(0));
    accepted.sort();
    assert_eq!((accepted.len(), &receipts(&file)), (302, &accepted));
    assert_eq!(ids(&ground.take_all().await), accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_renamed_is_followed_by_a_new_one_at_sighup() {
    let (ground, folder) = (Ground::new(), tempfile::tempdir().expect("a folder"));
    let (file, old) = (folder.path().join("ids"), folder.path().join("ids.1"));
    let server = ground.serve_with(&[], &[("SLUICE_RECEIPTS", file.to_str().expect("UTF-8"))]).await;
    let first = server.submit("first").await.id();
    until_lines(&file, 1).await;
    std::fs::rename(&file, &old).expect("it is ours");
    let second = server.submit("second").await.id();
    until_lines(&old, 2).await;
    server.program.signal(Signal::SIGHUP);
    server.program.says("opened again", 1).await;
    // The thread that writes opens it.
    until("there is a new file", async || file.exists()).await;
    let third = server.submit("third").await.id();
    until_lines(&file, 1).await;
    assert_eq!((support::in_order(&old), support::in_order(&file)), (vec![first, second], vec![third]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_delays_no_post_and_loses_no_receipt_that_can_wait() {
    let (ground, folder) = (Ground::new(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("ids");
    symlink("/dev/full", &file).expect("a link");
    let server = ground.serve_with(&["--receipts", file.to_str().expect("UTF-8")], &[]).await;
    let mut accepted = Vec::new();
    for number in 0..20 {
        let reply = server.submit(&number.to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        accepted.push(reply.id());
    }
    server.program.says("receipts cannot be written", 1).await;
    server.measures("sluice_producer_receipts_up 0").await;
    // There is room again.
    std::fs::remove_file(&file).expect("it is ours");
    server.program.says("receipts can be written again", 1).await;
    until_lines(&file, 20).await;
    assert_eq!(support::in_order(&file), accepted);
    server.measures("sluice_producer_receipts_up 1").await;
    server.measures(r#"sluice_receipts_total{result="written"} 20"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_until_the_end_is_said() {
    let (ground, folder) = (Ground::new(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("ids");
    symlink("/dev/full", &file).expect("a link");
    let server = ground.serve_with(&["--receipts", file.to_str().expect("UTF-8")], &[]).await;
    for number in 0..3 {
        assert_eq!(server.submit(&number.to_string()).await.status, 202);
    }
    server.program.signal(Signal::SIGTERM);
    let ended = ended(server.program).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(ended.said.contains(r#""lost":3"#), "{}", ended.said);
    let nowhere = ground.run(&["serve", "--listen", "127.0.0.1:0", "--receipts", "/nowhere/ids"], &[]).await;
    assert!(nowhere.code == Some(1) && nowhere.said.contains("/nowhere/ids"), "{}", nowhere.said);
}
