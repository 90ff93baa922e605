//! Whatever becomes of the broker itself: killed, restarted, frozen, short of memory, short of disk. On servers of its
//! own, because no other test shall meet these.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sluice_lab::devstack::{Stack, StackOptions};
use sluice_lab::testing::{Program, eventually, in_time};
use tempfile::TempDir;

use crate::publish::{many, text};
use crate::storm::{Storm, slowest};
use crate::support::{Ground, Server, ended, ids, receipts, until};

/// How long each fault lasts, after it was noticed.
const LASTS: Duration = Duration::from_secs(1);
/// The longest a sender may wait for an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// The longest from the end of a fault to the first post that is accepted.
const ACCEPTS_WITHIN: Duration = Duration::from_secs(5);

/// What happens to the broker.
#[derive(Debug, Clone, Copy)]
enum Fault {
    ShortOfMemory,
    ShortOfDisk,
    Frozen,
    Stopped,
    Killed,
}

impl Fault {
    async fn strike(self, stack: &Stack) {
        let broker = stack.rabbitmq();
        match self {
            Self::ShortOfMemory => order(stack, &["set_vm_memory_high_watermark", "absolute", "1MB"]).await,
            Self::ShortOfDisk => order(stack, &["set_disk_free_limit", "100000GB"]).await,
            Self::Frozen => broker.freeze().expect("it runs"),
            Self::Stopped => broker.stop().await.expect("it ends"),
            Self::Killed => broker.kill().await.expect("it ends"),
        }
    }

    async fn end(self, stack: &Stack) {
        match self {
            Self::ShortOfMemory => order(stack, &["set_vm_memory_high_watermark", "0.6"]).await,
            Self::ShortOfDisk => order(stack, &["set_disk_free_limit", "50MB"]).await,
            Self::Frozen => stack.rabbitmq().thaw().expect("it runs"),
            Self::Stopped | Self::Killed => stack.rabbitmq().start().await.expect("it comes back"),
        }
    }
}

async fn order(stack: &Stack, args: &[&str]) {
    stack.rabbitmqctl(args).await.expect("the broker does as it is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_broker_senders_have_an_answer_in_time_and_no_accepted_post_is_lost() {
    let stack = Stack::start(StackOptions::default()).await.expect("a stack");
    let ground = Ground::on(stack.amqp_url());
    let server = ground.serve().await;
    let import = Import::begin(&ground);
    let storm = Storm::begin(&server, 32);
    storm.accepts(200).await;
    let faults = [Fault::Stopped, Fault::Killed, Fault::ShortOfMemory, Fault::ShortOfDisk, Fault::Frozen];
    for fault in faults {
        endure(fault, &stack, &server, &storm).await;
    }
    storm.accepts(200).await;
    left_over(&stack).await;
    said_once_a_second(&server, faults.len()).await;
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("sluice_producer_outages_total{reason=\"broker-unreachable\"} "), "{metrics}");
    let answered = storm.book().len();
    let accepted = storm.end().await;
    let imported = import.end().await;
    let found = ids(&ground.take_all().await);
    let (waiting, distinct) = (found.len(), found.into_iter().collect::<HashSet<_>>());
    println!("{answered} answers, {} accepted, {waiting} messages, {} posts", accepted.len(), distinct.len());
    for (kept, what) in [(&accepted, "accepted posts"), (&imported, "receipts")] {
        let lost: Vec<_> = kept.difference(&distinct).collect();
        assert!(lost.is_empty(), "{} {what} are not in the queue: {lost:?}", lost.len());
    }
    drop(ground);
    stack.stop().await.expect("nothing is left");
}

/// `publish FILE` at the same time: it goes on by itself.
struct Import {
    program: Program,
    folder: TempDir,
}

impl Import {
    const LINES: usize = 1500;

    fn begin(ground: &Ground) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, ids_file) = (folder.path().join("posts"), folder.path().join("receipts"));
        std::fs::write(&file, many(Self::LINES)).expect("a file");
        let args = ["publish", text(&file), "--rate", "100", "--patience", "60s", "--receipts", text(&ids_file)];
        Self { program: ground.start(&args, &[]), folder }
    }

    /// The receipts, one for each line.
    async fn end(self) -> HashSet<String> {
        let output = ended(self.program).await;
        assert_eq!(output.code, Some(0), "{}", output.said);
        let receipts = receipts(&self.folder.path().join("receipts"));
        assert_eq!(receipts.len(), Self::LINES, "{}", output.said);
        println!("publish: {}", output.said.replace('\n', " | "));
        receipts.into_iter().collect()
    }
}

/// What timed out under an alarm or a freeze is closed again: neither connections nor channels accumulate at the broker.
/// A connection that was given up may take a few seconds to end.
async fn left_over(stack: &Stack) {
    eventually("what was given up to be closed", async || {
        let list = stack.rabbitmqctl(&["--no-table-headers", "list_connections", "channels"]).await.expect("a list");
        let channels: Vec<usize> = list.lines().filter_map(|line| line.trim().parse().ok()).collect();
        let (connections, channels) = (channels.len(), channels.iter().sum::<usize>());
        // Two of the front door's and two of the import's, each program with a pool of 16 channels.
        let few = (1..=4).contains(&connections) && (1..=32).contains(&channels);
        if few { Ok(()) } else { Err(format!("{connections} connections and {channels} channels")) }
    })
    .await;
}

/// The log tells of each fault and of its end, and is quiet in between.
async fn said_once_a_second(server: &Server, faults: usize) {
    let told = |said: &str| -> Vec<serde_json::Value> {
        let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter(|line| line["message"].as_str().is_some_and(|m| m.contains("posts"))).collect()
    };
    // What was under way when a fault ended may fail after it: that is one more, and soon over.
    let (said, lines, gone) = eventually("the end of each fault to be told", async || {
        let said = server.program.said();
        let lines = told(&said);
        let count = |words: &str| lines.iter().filter(|line| line["message"] == words).count();
        let gone = count("RabbitMQ accepts no posts; requests get 503");
        let back = count("RabbitMQ accepts posts again");
        if gone >= faults && gone == back { Ok((said, lines, gone)) } else { Err((gone, back, said)) }
    })
    .await;
    let times = lines.iter().map(|line| {
        let at = line["timestamp"].as_str().expect("a time");
        time::OffsetDateTime::parse(at, &time::format_description::well_known::Rfc3339).expect("RFC 3339")
    });
    let times: Vec<_> = times.collect();
    let closest = times.windows(2).map(|pair| pair[1] - pair[0]).min().expect("several lines");
    println!("{gone} times gone and back, in {} lines, the closest {closest} apart", lines.len());
    assert!(closest >= time::Duration::milliseconds(900), "{closest}:\n{said}");
}

/// One fault, from its beginning to the first post that is accepted after it.
async fn endure(fault: Fault, stack: &Stack, server: &Server, storm: &Storm) {
    let struck = Instant::now();
    fault.strike(stack).await;
    until("senders are refused", async || storm.since(struck).iter().any(|answer| answer.status == 503)).await;
    server.measures("sluice_producer_broker_up 0").await;
    assert_eq!(server.get("/readyz").await.problem(), "not-ready", "{fault:?}");
    assert_eq!(server.get("/healthz").await.status, 200);
    tokio::time::sleep(LASTS).await;
    let during = storm.since(struck);
    fault.end(stack).await;
    let ended = Instant::now();
    let accepts = storm.accepts_after(ended).await;
    let refused: Vec<_> = storm.since(struck).into_iter().filter(|answer| answer.status != 202).collect();
    let mut names: Vec<_> = refused.iter().map(|answer| answer.problem.as_str()).collect();
    names.sort();
    names.dedup();
    println!(
        "{fault:?}: {} answers during it, the slowest after {:?}; {} refused as {names:?}; accepts {accepts:?} after it",
        during.len(),
        slowest(&refused),
        refused.len(),
    );
    assert!(refused.iter().all(|answer| answer.status == 503), "{fault:?}: a sender got no answer");
    in_time(format!("{fault:?}: the slowest answer"), slowest(&storm.since(struck)), ANSWERED_WITHIN);
    in_time(format!("{fault:?}: accepted again"), accepts, ACCEPTS_WITHIN);
    until("it is ready", async || server.get("/readyz").await.status == 200).await;
    server.measures("sluice_producer_broker_up 1").await;
}
