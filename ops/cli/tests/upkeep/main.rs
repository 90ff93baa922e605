//! Topology, schema and status: what is there, what is different, what is down.

#[path = "../support/mod.rs"]
mod support;
mod topology;

use serde_json::json;
use sluice_lab::testing::eventually;
use sluice_rabbit::dead_letters::DeadLetterBrowser;
use sluice_rabbit::worker_status::{self, Paused, State, WorkerStatus};
use support::{Dead, Ground, PATIENCE, interrupt, post, text};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::test(flavor = "multi_thread")]
async fn the_status_counts_everything() {
    let ground = Ground::new().await;
    ground.submit(&post("waiting")).await;
    ground.record(&[post("one"), post("two")]).await;
    ground.dead(&[Dead { age: time::Duration::hours(3), ..Dead::new("old") }, Dead::new("young")]).await;
    ground.foreign(b"?", None).await;
    ground.until_dead(3).await;
    let status = ground.sluice(&["status", "--json"]).await.ok().object();
    assert_eq!((&status["queue"]["ready"], &status["queue"]["consumers"]), (&json!(1), &json!(0)));
    assert_eq!(text(&status["queue"], "name"), ground.topology.queue());
    assert_eq!((&status["workers"], &status["paused"]), (&json!([]), &json!(null)), "nobody is there");
    assert_eq!(status["dead_letters"]["ready"], 3);
    assert_eq!(status["dead_letters"]["by_class"], json!({ "permanent": 2, "unknown": 1 }));
    assert_eq!(
        status["dead_letters"]["last_hour"], 1,
        "the old one and the stranger, which says nothing, are not of it"
    );
    let age = status["dead_letters"]["oldest_age_seconds"].as_i64().expect("a number");
    assert!((10_800..11_000).contains(&age), "{age}");
    let verdicts = json!({ "approved": 2, "held": 0, "rejected": 0 });
    let posts = json!({ "total": 2, "exact": true, "by_verdict": verdicts, "pruned": 0, "sample": null });
    assert_eq!(status["posts"], posts);
    assert_eq!(status["rates"]["recorded_per_second"], 0.0);
    assert_eq!(status["unreachable"], json!([]));
    let page = ground.sluice(&["status", "--no-look"]).await.ok().stdout;
    assert!(page.contains("1 waiting in") && page.contains("--no-look"), "{page}");
    assert!(!page.contains('\u{1b}'), "no colours in a pipe");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_down_is_said_and_the_rest_is_shown() {
    let ground = Ground::new().await;
    ground.submit(&post("waiting")).await;
    let unreachable = ["status", "--json", "--database-url", "mysql://root@127.0.0.1:1/none"];
    let status = ground.sluice(&unreachable).await.exits(1).object();
    assert_eq!((&status["queue"]["ready"], &status["posts"]), (&json!(1), &json!(null)));
    assert_eq!(text(&status["unreachable"][0], "what"), "MySQL");
    let status = ground.sluice(&["status", "--json", "--amqp-url", "amqp://127.0.0.1:1"]).await.exits(1).object();
    assert_eq!((&status["queue"], &status["workers"]), (&json!(null), &json!(null)));
    assert_eq!(status["posts"]["total"], 0);
    assert_eq!(
        (&status["unreachable"][0]["what"], &status["unreachable"][1]),
        (&json!("RabbitMQ"), &json!(null)),
        "said once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_answer_for_themselves() {
    let ground = Ground::new().await;
    ground.submit(&post("waiting")).await;
    let now = time::OffsetDateTime::now_utc();
    let ago = |seconds| now - time::Duration::seconds(seconds);
    let end = tokio_util::sync::CancellationToken::new();
    let mut answering = tokio::task::JoinSet::new();
    for (name, paused) in [("w-2", true), ("w-1", false)] {
        let status = WorkerStatus {
            worker: name.to_owned(),
            pid: 7,
            version: "0.1.0".to_owned(),
            ruleset: "builtin".to_owned(),
            started_at: ago(100),
            state: if paused { State::Paused } else { State::Consuming },
            paused: paused.then(|| Paused {
                dependency: "mysql".to_owned(),
                since: ago(60),
                code: "mysql_unreachable".to_owned(),
                message: "refused".to_owned(),
            }),
            consumers: 0,
            in_flight: 3,
            stored: 0,
            dead_lettered: 0,
            oldest_submitted_at: Some(ago(90)),
            rules: None,
            scorer: None,
            reviewer: None,
        };
        let (broker, topology, end) = (ground.broker.clone(), ground.topology.clone(), end.clone());
        answering.spawn(async move { worker_status::answer(&broker, &topology, || status.clone(), end).await });
    }
    let status = eventually("both workers to answer", async || {
        let status = ground.sluice(&["status", "--json"]).await.ok().object();
        if status["workers"].as_array().map(Vec::len) == Some(2) { Ok(status) } else { Err(status) }
    })
    .await;
    assert_eq!((&status["workers"][0]["worker"], &status["workers"][1]["worker"]), (&json!("w-1"), &json!("w-2")));
    assert_eq!((&status["paused"]["dependency"], &status["paused"]["workers"]), (&json!("mysql"), &json!(1)));
    assert_eq!(status["queue"]["in_flight"], 6);
    assert!(status["queue"]["oldest_age_seconds"].as_i64().is_some_and(|age| (90..150).contains(&age)), "{status}");
    let page = ground.status_of_workers(&[], "(1 of 2 workers)").await;
    for part in [
        "paused        mysql since ",
        "(1 of 2 workers): mysql_unreachable: refused",
        "  7  consuming",
        "  7  paused: mysql",
    ] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
    end.cancel();
    while answering.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_in_somebody_s_hand_hold_up_no_status() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(3)).await;
    let mut dead_letters =
        DeadLetterBrowser::open(&ground.broker, &ground.topology, PATIENCE, || ()).await.expect("our lock");
    dead_letters.next().await.expect("the broker answers").expect("a dead letter");
    let status = ground.sluice(&["status", "--json"]).await.ok().object();
    dead_letters.put_back().await.expect("they go back");
    assert!(text(&status["dead_letters"], "note").contains("in flight"), "{status}");
    assert_eq!((&status["dead_letters"]["by_class"], &status["unreachable"]), (&json!(null), &json!([])));
    let status = ground.sluice(&["status", "--json"]).await.ok().object();
    assert_eq!((&status["dead_letters"]["ready"], &status["dead_letters"]["note"]), (&json!(3), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_is_one_object_a_refresh_until_it_is_interrupted() {
    let ground = Ground::new().await;
    let mut watch = ground.start(&["status", "--json", "--watch", "--interval", "200ms"]);
    let mut lines = BufReader::new(watch.stdout.take().expect("a pipe")).lines();
    for refresh in 0..3 {
        let line = lines.next_line().await.expect("it can be read").expect("it goes on");
        let status: serde_json::Value = serde_json::from_str(&line).expect("one object a line");
        assert_eq!(status["rates"].is_null(), refresh == 0, "{status}");
    }
    interrupt(&watch).await;
    ground.finish(watch).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_named_and_no_password_is_shown() {
    let ground = Ground::bare(None).await;
    for (args, told) in [
        (&["status", "--amqp-url", "http://me:hunter2@host"][..], "AMQP_URL"),
        (&["dlq", "list", "--amqp-url", "hunter2"], "AMQP_URL"),
        (&["status", "--database-url", "postgres://me:hunter2@host/db"], "DATABASE_URL"),
        (&["status", "--database-url", "mysql://root:1?hunter2@host/db"], "%3F"),
        (&["status", "--amqp-url", "amqp://me:1#hunter2@host"], "AMQP_URL"),
        (&["status", "--amqp-url", "amqp://host/%2f?heartbeat=abc"], "`heartbeat` is `abc`"),
        (&["status", "--amqp-url", "amqp://host/%2f?frame_max=1"], "8192 to 1048576 bytes"),
        (&["status", "--amqp-url", "amqp://host/%2f?connection_timeout=1000"], "`connection_timeout`"),
        (&["migrate", "--database-url", "mysql://host/db?ssl-mode=REQUIRED"], "`ssl-mode`"),
        (&["migrate", "--database-url", "mysql://host/db?verify_ca=false"], "require_ssl=true"),
        (&["status", "--prefix", "a b"], "--prefix"),
        (&["status", "--interval", "1s"], "--watch"),
        (&["nonsense"], "nonsense"),
    ] {
        let ran = ground.sluice(args).await.exits(2);
        assert!(ran.stderr.contains(told) && !ran.stderr.contains("hunter2"), "{args:?}: {ran:?}");
    }
    let version = ground.sluice(&["--version"]).await.ok().stdout;
    assert_eq!(version.trim(), format!("sluice {}", sluice_core::VERSION));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_program_prints_completions_for_shells_and_writes_manual_pages() {
    let sluice = std::path::Path::new(env!("CARGO_BIN_EXE_sluice"));
    for (program, page, told) in [
        ("sluice", "sluice-dlq-list.1", "List dead letters, oldest first"),
        ("sluice-worker", "sluice-worker-run.1", "SLUICE_CONCURRENCY"),
        ("sluice-producer", "sluice-producer-serve.1", "SLUICE_LISTEN"),
    ] {
        let run = async |args: &[&str]| {
            let mut command = tokio::process::Command::new(sluice.with_file_name(program));
            command.args(args).env_clear().output().await.expect("it was built")
        };
        for shell in ["bash", "zsh", "fish"] {
            let ran = run(&["completions", shell]).await;
            assert!(ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains(program), "{shell}: {ran:?}");
        }
        assert_eq!(run(&["completions", "cmd"]).await.status.code(), Some(2));
        let folder = tempfile::tempdir().expect("a place for files");
        let dir = folder.path().join("man1");
        let ran = run(&["man", dir.to_str().expect("a plain path")]).await;
        assert!(ran.status.success() && ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");
        let page = std::fs::read_to_string(dir.join(page)).expect("a page for each command");
        assert!(page.contains(told), "{page}");
        assert!(!dir.join("sluice-bench-peer.1").exists(), "hidden commands have no page");
    }
}
