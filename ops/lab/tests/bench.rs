//! `sluice-lab bench` as one uses it. Its figures are no business of a test; that it comes to an end, and what it says
//! when it does not, is.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long a short measurement may take on a busy machine, its servers' start included.
const PATIENCE: Duration = Duration::from_secs(120);

fn bench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-lab"));
    command.arg("bench").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The processes whose environment holds this.
fn marked(mark: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("a list of processes");
    let marked = processes.filter_map(|entry| {
        let folder = entry.ok()?.path();
        let environment = std::fs::read(folder.join("environ")).ok()?;
        let holds = environment.windows(mark.len()).any(|part| part == mark.as_bytes());
        holds.then(|| folder.display().to_string())
    });
    marked.collect()
}

#[test]
fn a_short_run_tells_figures_promises_and_where_they_were_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let ran = bench(&["--quick", "--turns", "1", "--part", "start", "--json", "--out", out]).output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&ran.stdout).expect("one JSON object");
    let written = std::fs::read(Path::new(out).join("figures.json")).expect("figures.json");
    assert_eq!(serde_json::from_slice::<Value>(&written).expect("JSON"), told);
    let figures = told["figures"].as_array().expect("figures");
    let ready = figures.iter().find(|figure| figure["what"] == "worker ready").expect("the worker's start");
    assert!(ready["median"].as_f64().expect("a number") > 0.0, "{ready}");
    assert_eq!((&ready["unit"], ready["turns"].as_array().map(Vec::len)), (&Value::from("ms"), Some(1)));
    assert!(told["promises"].as_array().is_some_and(|promises| promises.len() == 4), "{told}");
    assert!(told["servers"].as_str().is_some_and(|servers| servers.starts_with("RabbitMQ ")), "{told}");
    assert!(said.contains("debug build"), "figures of a debug build are nothing to go by: {said}");
}

#[test]
fn stopped_half_way_it_says_so_prints_no_figure_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, mark) = (folder.path().join("out"), format!("BENCH_TEST={}", folder.path().display()));
    let mut command = bench(&["--quick", "--part", "drain", "--out", out.to_str().expect("UTF-8")]);
    let (name, value) = mark.split_once('=').expect("a variable");
    let child = command.env(name, value).spawn().expect("it starts");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let begun = Instant::now();
    // Servers of its own, and a program of ours on them: then it is in the midst of it.
    while !marked(&mark).iter().any(|process| {
        std::fs::read_to_string(format!("{process}/comm")).is_ok_and(|name| name.starts_with("sluice-worker"))
    }) {
        assert!(begun.elapsed() < PATIENCE, "no worker was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(pid, Signal::SIGINT).expect("it runs");
    let ran = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped before the end: no figures are printed"), "{said}");
    assert_eq!((String::from_utf8_lossy(&ran.stdout).as_ref(), out.exists()), ("", false));
    let begun = Instant::now();
    while !marked(&mark).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "left behind: {:?}", marked(&mark));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_it_cannot_be_run_with_is_named_with_the_fix() {
    for (args, told) in [
        (&["--go-peer", "/nowhere/peer"][..], "there is no program /nowhere/peer: build it with ops/peers/build"),
        (
            &["--celery-peer", "/nowhere"],
            "there is no /nowhere/tasks.py: --celery-peer names Sluice's ops/peers/celery",
        ),
        (&["--stack", "/nowhere/stack"], "no stack is up in /nowhere/stack: start one with: sluice-lab stack up"),
    ] {
        let ran = bench(args).output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!((ran.status.code(), ran.stdout.is_empty()), (Some(1), true), "{said}");
        assert!(said.contains(told), "{said}");
    }
    let ran = bench(&["--part", "everything"]).output().expect("it runs");
    assert_eq!(ran.status.code(), Some(2), "{}", String::from_utf8_lossy(&ran.stderr));
}
