//! What servers show of themselves on the machine, and what they would leave: processes, sockets, files.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// No server may be reached from another machine: nothing listens but on this machine's own addresses, `at_least` so
/// many sockets.
pub(crate) fn assert_loopback_only(dir: &Path, at_least: usize) {
    let sockets: Vec<PathBuf> = processes_of(dir)
        .into_iter()
        .filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).ok())
        .flat_map(|files| files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok()))
        .collect();
    let mut listening = 0;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let ours = sockets.contains(&PathBuf::from(format!("socket:[{}]", fields[9])));
            if fields[3] == "0A" && ours {
                let local = fields[1].split(':').next().unwrap_or_default();
                let loopback = ["0100007F", "00000000000000000000000001000000"].contains(&local);
                assert!(loopback, "it listens on {local}, in the system's own notation");
                listening += 1;
            }
        }
    }
    assert!(listening >= at_least, "{listening} found");
}

/// The processes with the folder in their environment: all that is started in it have it there.
pub(crate) fn processes_of(dir: &Path) -> Vec<u32> {
    let name = dir.to_str().expect("a plain path").as_bytes();
    let pids = std::fs::read_dir("/proc").expect("Linux").flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.windows(name.len()).any(|window| window == name)
        })
        .collect()
}

/// Whether a file of this name, anywhere below `dir`, holds `words`.
pub(crate) fn is_in_a_file(dir: &Path, name: &str, words: &str) -> bool {
    std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        let holds = |bytes: Vec<u8>| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        is_in_a_file(&path, name, words) || path.ends_with(name) && std::fs::read(&path).is_ok_and(holds)
    })
}

pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within 60 s: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
