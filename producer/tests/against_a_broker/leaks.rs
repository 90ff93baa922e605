//! Outage after outage: what each of them costs is released.

use std::path::PathBuf;
use std::time::Instant;

use sluice_lab::testing::{Proxy, eventually};

use crate::storm::Storm;
use crate::support::{Ground, Server, until};

/// Outages by a cut, before and while it is measured.
const CUTS: (usize, usize) = (3, 20);
/// Outages by a network that swallows everything, before and while it is measured. They last until the heartbeat has
/// found them out. Both kinds come before the first measure: an allocator keeps most of what the worst of them took.
const FREEZES: (usize, usize) = (2, 2);
/// File descriptors that may be more than before: the second connection of the pool, opened when there is need.
const SPARE: usize = 2;
/// Memory that may be more than before: an allocator keeps what it had once. A connection costs about 1 MiB, so one
/// left over by each outage would show.
const GROWTH_KIB: u64 = 16 * 1024;

/// Open files and memory of a process.
#[derive(Debug, Clone, Copy)]
struct Footprint {
    files: usize,
    kib: u64,
}

impl Footprint {
    fn of(server: &Server) -> Self {
        let proc = PathBuf::from(format!("/proc/{}", server.program.pid()));
        let files = std::fs::read_dir(proc.join("fd")).expect("it runs").count();
        let status = std::fs::read_to_string(proc.join("status")).expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        let kib = resident.trim().trim_end_matches(" kB").parse().expect("a number");
        Self { files, kib }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_many_outages_it_holds_no_more_files_and_no_more_memory_than_before() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    let server = ground.serve_with(&[], &[("AMQP_URL", &format!("{url}?heartbeat=1"))]).await;
    weather(&proxy, &server, CUTS.0, FREEZES.0).await;
    let before = settled(&server, usize::MAX).await;
    weather(&proxy, &server, CUTS.1, FREEZES.1).await;
    let after = settled(&server, before.files + SPARE).await;
    println!("{before:?} before {CUTS:?} cuts and {FREEZES:?} freezes, {after:?} after them");
    assert!(after.kib <= before.kib + GROWTH_KIB, "{before:?} became {after:?}");
}

/// So many outages, under load.
async fn weather(proxy: &Proxy, server: &Server, cuts: usize, freezes: usize) {
    let storm = Storm::begin(server, 16);
    for round in 0..cuts + freezes {
        storm.accepts(50).await;
        let struck = Instant::now();
        if round < cuts {
            proxy.cut()
        } else {
            proxy.freeze()
        }
        // Over a frozen connection posts are not confirmed; the broker is unreachable once it is given up.
        eventually("the connection to be given up", async || {
            let heard = storm.heard_since(struck);
            if heard.contains_key("broker-unreachable") { Ok(()) } else { Err((round, heard)) }
        })
        .await;
        proxy.heal();
        storm.accepts_after(Instant::now()).await;
    }
    storm.end().await;
}

/// What it holds once the senders are gone and nothing of the outages is under way any more.
async fn settled(server: &Server, files: usize) -> Footprint {
    until("it is ready", async || server.get("/readyz").await.status == 200).await;
    let mut last = Footprint::of(server);
    until("what the outages opened is closed", async || {
        let now = Footprint::of(server);
        let stands = now.files == last.files && now.files <= files;
        last = now;
        stands
    })
    .await;
    last
}
