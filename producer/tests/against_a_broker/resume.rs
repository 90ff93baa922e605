//! `publish FILE`, killed in the middle and run again.

use std::collections::{HashMap, HashSet};

use crate::publish::{many, text};
use crate::support::{Ground, ids, receipts, until_lines};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_published_again_after_sigkill_gives_each_line_one_id() {
    const LINES: usize = 6000;
    let ground = Ground::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, ids_file) = (folder.path().join("posts"), folder.path().join("receipts"));
    std::fs::write(&file, many(LINES)).expect("a file");
    let args = ["publish", text(&file), "--key", "import-7", "--receipts", text(&ids_file)];
    let slowly = [&args[..], &["--rate", "4000"]].concat();
    let mut before = 0;
    for _ in 0..3 {
        let mut program = ground.start(&slowly, &[]);
        until_lines(&ids_file, before + 400).await;
        program.kill().await;
        let confirmed = receipts(&ids_file);
        before = confirmed.len();
        assert!(before < 3 * LINES, "it was killed too late");
    }
    let output = ground.run(&args, &[]).await;
    assert_eq!(output.code, Some(0), "{}", output.said);
    let messages = ground.take_all().await;
    let mut lines: HashMap<String, HashSet<String>> = HashMap::new();
    for message in &messages {
        lines.entry(message.body["title"].to_string()).or_default().insert(message.id());
    }
    assert_eq!(lines.len(), LINES, "a line is missing");
    assert!(lines.values().all(|ids| ids.len() == 1), "a line has two ids");
    let (found, written) = (ids(&messages), receipts(&ids_file));
    println!("{} receipts, {} messages, {LINES} lines", written.len(), messages.len());
    assert!(messages.len() > LINES, "nothing was sent again, so nothing was shown");
    assert!(written.iter().all(|id| found.binary_search(id).is_ok()), "a receipt without a post");
}
