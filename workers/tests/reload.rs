//! Rules that change while posts flow: with real servers, real worker processes and real files.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use sluice_lab::testing::{Ground, Program, eventually};
use sluice_rabbit::worker_status::{self, WorkerStatus};
use support::{start, stored};
use tempfile::TempDir;

/// Rules that hold this word.
fn holding(word: &str) -> String {
    format!(
        "name = \"site\"\n[categories.spam]\nhold = 50\n[[list]]\nid = \"words\"\ncategory = \"spam\"\nweight = 60\n\
         terms = [\"{word}\"]\n"
    )
}

/// A ground, a folder with rules in it, and workers that follow them.
struct Stage {
    ground: Ground,
    folder: TempDir,
    workers: Program,
}

impl Stage {
    async fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("site.toml"), holding("apple")).expect("it can be written");
        Self::in_folder(folder, args, 1).await
    }

    async fn in_folder(folder: TempDir, args: &[&str], processes: usize) -> Self {
        let ground = Ground::new().await;
        let rules = folder.path().join("site.toml");
        let number = processes.to_string();
        let fixed = ["--name", "w", "--processes", &number, "--rules", rules.to_str().expect("a name in UTF-8")];
        let workers = start(&ground.environment(), &[&fixed, args].concat());
        workers.says("consuming", processes).await;
        Self { ground, folder, workers }
    }

    fn write(&self, text: &str) {
        fs::write(self.rules(), text).expect("it can be written");
    }

    fn rules(&self) -> PathBuf {
        self.folder.path().join("site.toml")
    }

    /// The verdict of a post with this title.
    async fn verdict(&self, title: &str) -> String {
        let post = self.ground.post(title);
        self.ground.publish(std::slice::from_ref(&post)).await;
        stored(&self.ground, post.id).await.verdict
    }

    /// Asks all workers until their answers are as wanted.
    async fn hears(&self, what: &str, wanted: impl Fn(&[WorkerStatus]) -> bool) -> Vec<WorkerStatus> {
        eventually(what, async || {
            let heard =
                worker_status::call(&self.ground.broker(), &self.ground.topology(), Duration::from_millis(500)).await;
            let heard = heard.map_err(|error| error.to_string())?;
            if wanted(&heard) { Ok(heard) } else { Err(format!("{heard:?}")) }
        })
        .await
    }

    /// Waits until the one worker tells of a refusal for this reason.
    async fn refuses(&self, why: &str) {
        let so = |status: &WorkerStatus| refusal(status).is_some_and(|told| told.contains(why));
        self.hears(why, |heard| heard.len() == 1 && so(&heard[0])).await;
    }

    /// Waits until the one worker has put other rules in force so many times, and tells of them.
    async fn changes(&self, times: usize) {
        const WORDS: &str = "new rules are in force";
        self.workers.says(WORDS, times).await;
        let said = self.workers.said();
        let line = said.lines().rfind(|line| line.contains(WORDS)).expect("it was just said");
        let rules = line.split("before=").next().unwrap_or_default();
        self.hears(rules, |heard| heard.len() == 1 && rules.contains(&heard[0].ruleset)).await;
    }
}

fn refusal(status: &WorkerStatus) -> Option<&str> {
    status.rules.as_ref()?.refused.as_ref().map(|refused| refused.why.as_str())
}

#[tokio::test]
async fn a_changed_file_is_in_force_without_a_restart_and_the_worker_status_says_since_when() {
    let mut stage = Stage::new(&[]).await;
    assert_eq!((stage.verdict("apple").await, stage.verdict("pear").await), ("held".to_owned(), "approved".to_owned()));
    let before = stage.hears("a worker", |heard| heard.len() == 1).await.remove(0);
    stage.write(&holding("pear"));
    stage.changes(1).await;
    assert_eq!((stage.verdict("apple").await, stage.verdict("pear").await), ("approved".to_owned(), "held".to_owned()));
    let after =
        stage.hears("other rules", |heard| heard.len() == 1 && heard[0].ruleset != before.ruleset).await.remove(0);
    let since = |status: &WorkerStatus| status.rules.as_ref().expect("it says").since;
    assert!(since(&after) > since(&before) && refusal(&after).is_none(), "{after:?}");
    assert_eq!(after.started_at, before.started_at, "it is the same process");
    assert!(stage.workers.stop().await.success());
}

#[tokio::test]
async fn rules_that_cannot_be_read_or_fail_their_test_are_refused_and_the_old_stay() {
    let stage = Stage::new(&[]).await;
    stage.write("name = \"site\"\n[categories.spam\n");
    stage.workers.says("new rules are refused", 1).await;
    // It names file and line.
    stage.refuses("site.toml:2:").await;
    assert_eq!(stage.verdict("apple").await, "held");
    let failing = format!("{}[[test]]\ntext = \"plum\"\nexpect = \"held\"\n", holding("pear"));
    stage.write(&failing);
    stage.workers.says("new rules are refused", 2).await;
    stage.refuses("this test expects held").await;
    assert_eq!(stage.verdict("apple").await, "held");
    fs::remove_file(stage.rules()).expect("it can be removed");
    stage.workers.says("new rules are refused", 3).await;
    stage.refuses("cannot read the rules file").await;
    stage.write(&holding("apple"));
    stage.workers.says("the rules in the file are already in force", 1).await;
    stage.hears("no refusal", |heard| heard.len() == 1 && refusal(&heard[0]).is_none()).await;
    assert_eq!(stage.workers.said().matches("new rules are in force").count(), 0);
}

#[tokio::test]
async fn rules_that_would_hold_much_more_of_the_last_posts_are_refused_until_a_restart() {
    let mut stage = Stage::new(&["--reload-max-shift", "20"]).await;
    let posts: Vec<_> = (0..60).map(|number| stage.ground.post(&format!("banana {number}"))).collect();
    stage.ground.publish(&posts).await;
    for post in &posts {
        assert_eq!(stored(&stage.ground, post.id).await.verdict, "approved");
    }
    stage.write(&holding("banana"));
    stage.workers.says("new rules are refused", 1).await;
    stage.refuses("of the last 60 posts, 100.0 % would be held").await;
    assert_eq!(stage.verdict("banana").await, "approved");
    // Other rules that change little are taken meanwhile.
    stage.write(&holding("cherry"));
    stage.changes(1).await;
    stage.write(&holding("banana"));
    stage.workers.says("new rules are refused", 2).await;
    assert!(stage.workers.stop().await.success());
    let rules = stage.rules();
    let restarted = start(&stage.ground.environment(), &["--rules", rules.to_str().expect("a name in UTF-8")]);
    restarted.says("consuming", 1).await;
    assert_eq!(stage.verdict("banana").await, "held");
}

#[tokio::test]
async fn each_way_to_replace_the_file_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let link = |version: &str, word: &str| {
        fs::create_dir(path.join(version)).expect("a folder");
        fs::write(path.join(version).join("site.toml"), holding(word)).expect("it can be written");
        symlink(version, path.join("data_new")).expect("a link");
        fs::rename(path.join("data_new"), path.join("data")).expect("it can be renamed");
    };
    link("v1", "apple");
    symlink("data/site.toml", path.join("site.toml")).expect("a link");
    let stage = Stage::in_folder(folder, &[], 1).await;
    // As Kubernetes exchanges a ConfigMap: a link in the middle of the way.
    link("v2", "pear");
    stage.changes(1).await;
    assert_eq!(stage.verdict("pear").await, "held");
    // As an editor saves: another file takes the name.
    fs::write(path.join("site.toml~"), holding("plum")).expect("it can be written");
    fs::rename(path.join("site.toml~"), stage.rules()).expect("it can be renamed");
    stage.changes(2).await;
    assert_eq!(stage.verdict("plum").await, "held");
    // As another one does: away, then there again, in two pieces.
    fs::remove_file(stage.rules()).expect("it can be removed");
    let text = holding("cherry");
    let (head, tail) = text.split_at(text.len() / 2);
    fs::write(stage.rules(), head).expect("it can be written");
    fs::write(stage.rules(), [head, tail].concat()).expect("it can be written");
    stage.changes(3).await;
    assert_eq!(stage.verdict("cherry").await, "held");
}

#[tokio::test]
async fn a_hangup_ends_no_worker_and_is_answered() {
    let ground = Ground::new().await;
    let mut builtin = support::worker(&ground, &[]).await;
    builtin.signal(Signal::SIGHUP);
    builtin.says("the rules are built in", 1).await;
    let mut stage = Stage::new(&[]).await;
    stage.workers.signal(Signal::SIGHUP);
    stage.workers.says("the rules in the file are already in force", 1).await;
    stage.write(&holding("pear"));
    stage.workers.signal(Signal::SIGHUP);
    stage.changes(1).await;
    assert_eq!(stage.verdict("pear").await, "held");
    for worker in [&mut builtin, &mut stage.workers] {
        assert!(worker.stop().await.success());
    }
}

#[tokio::test]
async fn four_processes_change_rules_in_the_middle_of_a_flood_and_no_post_is_lost_or_judged_by_a_third_set() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("site.toml"), holding("apple")).expect("it can be written");
    let mut stage = Stage::in_folder(folder, &["--reload-max-shift", "100"], 4).await;
    let all = |heard: &[WorkerStatus]| heard.len() == 4 && heard.iter().all(|one| one.ruleset == heard[0].ruleset);
    let before = stage.hears("four of one mind", all).await.remove(0).ruleset;
    let posts: Vec<_> = (0..2000).map(|number| stage.ground.post(&format!("apple or pear {number}"))).collect();
    let (early, late) = posts.split_at(600);
    stage.ground.publish(early).await;
    stage.write(&holding("pear"));
    stage.workers.signal(Signal::SIGHUP);
    stage.ground.publish(late).await;
    let changed = |heard: &[WorkerStatus]| all(heard) && heard[0].ruleset != before;
    let after = stage.hears("four of another mind", changed).await.remove(0).ruleset;
    stage.workers.says("new rules are in force", 4).await;
    let last = stage.ground.post("the last");
    stage.ground.publish(std::slice::from_ref(&last)).await;
    assert_eq!(stored(&stage.ground, last.id).await.ruleset, after);
    for post in &posts {
        let row = stored(&stage.ground, post.id).await;
        assert!([&before, &after].contains(&&row.ruleset), "{} is neither", row.ruleset);
        assert_eq!((row.verdict.as_str(), row.attempts), ("held", 1), "both sets hold it");
    }
    assert_eq!((stage.ground.depth().await.ready, stage.ground.dead().await.ready), (0, 0));
    assert_eq!(stage.workers.said().matches("a worker process died").count(), 0);
    assert!(stage.workers.stop().await.success());
}
