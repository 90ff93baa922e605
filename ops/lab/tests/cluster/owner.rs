//! A cluster and the process that it belongs to.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sluice_lab::devstack::StackError;
use sluice_lab::devstack::cluster::{Cluster, ClusterOptions};

use super::traces::{assert_loopback_only, processes_of, until};

/// With this set, the test program is an owner that waits to be killed.
const OWNER: &str = "SLUICE_CLUSTER_TEST_OWNER";

#[tokio::test]
async fn a_cluster_is_closed_to_others_and_ends_with_its_owner_even_one_killed_with_sigkill() {
    let mut owner = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "owner::an_owner_that_waits_to_be_killed", "--nocapture"])
        .env(OWNER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let said = BufReader::new(owner.stdout.take().expect("it is piped"));
    let dir = said.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("DIR=")?.1.to_owned()));
    let dir = PathBuf::from(dir.expect("the owner has its cluster"));

    // AMQP, management and distribution twice, epmd, MariaDB and its group twice.
    assert_loopback_only(&dir, 11);
    let secrets = std::fs::read_to_string(dir.join("secrets.json")).expect("its passwords");
    let secrets: serde_json::Value = serde_json::from_str(&secrets).expect("an object");
    let passwords = ["broker", "database"].map(|of| secrets[of].as_str().expect("a password").to_owned());
    let processes = processes_of(&dir);
    assert!(processes.len() >= 5, "epmd, two brokers, two database servers: {processes:?}");
    for pid in processes {
        for shown in ["cmdline", "environ"] {
            let shown = std::fs::read(format!("/proc/{pid}/{shown}")).unwrap_or_default();
            let shown = String::from_utf8_lossy(&shown);
            assert!(!passwords.iter().any(|password| shown.contains(password)), "{shown}");
        }
    }

    owner.kill().expect("our own child");
    owner.wait().expect("our own child");
    until("the guardian has ended everything", || !dir.exists() && processes_of(&dir).is_empty()).await;
}

/// Not a test but the owner of the test above. By itself it does nothing.
#[tokio::test]
async fn an_owner_that_waits_to_be_killed() {
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let options = ClusterOptions { brokers: 2, databases: 2, ..ClusterOptions::default() };
    let cluster = Cluster::start(options).await.expect("a cluster");
    println!("\nDIR={}", cluster.dir().display());
    // Until the test kills it, or is gone itself.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
}

#[tokio::test]
async fn a_cluster_has_at_most_five_nodes_of_a_kind() {
    let error = Cluster::start(ClusterOptions { brokers: 6, ..ClusterOptions::default() }).await.expect_err("too many");
    assert!(matches!(error, StackError::TooManyNodes { asked: 6, most: 5 }), "{error}");
}
