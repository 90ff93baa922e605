//! Whoever reads the log may die before the program does: a pipe to a log collector, say.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Asks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not in 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Killed when the test is over, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_program_whose_log_nobody_reads_any_more_still_obeys_a_signal() {
    let listen = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port").to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-producer"));
    // No broker is needed for this, and none is there.
    command.args(["serve", "--listen", &listen, "--amqp-url", "amqp://127.0.0.1:1/%2f"]).env_remove("RUST_LOG");
    let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it was built");
    let mut running = Running(child);
    drop(running.0.stderr.take());
    until("it listens", || TcpStream::connect(&listen).is_ok());
    let asked = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().expect("kill is there");
    assert!(asked.success());
    until("it ends", || running.0.try_wait().expect("it is our child").is_some());
    let status = running.0.try_wait().expect("it is our child").expect("it has ended");
    assert!(status.success(), "{status}");
}
