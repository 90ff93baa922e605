//! At a terminal: what a person sees who interrupts, or types a command wrongly.

mod support;

use std::process::Stdio;
use std::time::Duration;

use support::{Dead, Ground, PATIENCE, interrupt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// The key Ctrl-C, as a terminal sends it.
const CTRL_C: &[u8] = b"\x03";

/// Starts `sluice` on a terminal of its own, whose keys are the child's stdin and whose page is its stdout. Its exit code
/// is the program's.
fn on_a_terminal(ground: &Ground, args: &str) -> Child {
    let sluice = ground.command(&[]);
    let mut command = Command::new("script");
    let line = format!("{} {args}", env!("CARGO_BIN_EXE_sluice"));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.envs(sluice.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)))).env("RUST_LOG", "info");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    command.spawn().expect("`script` is a part of Debian's base system")
}

/// Reads what is on the page until it holds `words`.
async fn shows(child: &mut Child, words: &str) -> String {
    let page = child.stdout.as_mut().expect("it is piped");
    let mut shown = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&shown).contains(words) {
            assert!(page.read_buf(&mut shown).await.expect("it can be read") > 0, "it ended: {shown:?}");
        }
    };
    assert!(tokio::time::timeout(PATIENCE, read).await.is_ok(), "no {words:?}");
    String::from_utf8_lossy(&shown).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_question_ends_its_line_and_the_command_and_nothing_is_done() {
    let ground = Ground::new().await;
    ground.dead(&Dead::some(2)).await;
    let mut asked = on_a_terminal(&ground, "dlq replay --all");
    let shown = shows(&mut asked, "[y/N] ").await;
    assert!(shown.contains("Replay these dead letters (2)"), "{shown}");
    asked.stdin.as_mut().expect("it is piped").write_all(CTRL_C).await.expect("a key is pressed");
    let ran = ground.finish(asked).await.exits(130);
    let rest = ran.stdout.replace('\r', "");
    assert_eq!(rest.trim_start_matches("^C"), "\ninterrupted; the dead letters are where they were\n");
    assert_eq!((ground.queued().await, ground.dead_letters().await), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_waits_for_lines_ends_at_the_first_ctrl_c() {
    let ground = Ground::new().await;
    let mut import = ground.command(&["dlq", "import", "-"]);
    let mut import = import.stdin(Stdio::piped()).spawn().expect("the program was built");
    let mut typed = import.stdin.take().expect("it is piped");
    typed.write_all(b"no letter\n").await.expect("it reads");
    let mut page = import.stderr.take().expect("it is piped");
    let mut said = String::new();
    let reading = async {
        let mut some = [0; 256];
        while !said.contains("line 1") {
            let read = page.read(&mut some).await.expect("it can be read");
            said.push_str(&String::from_utf8_lossy(&some[..read]));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it tells of the first line while it waits for the second");
    interrupt(&import).await;
    let ended = tokio::time::timeout(Duration::from_secs(5), import.wait()).await.expect("it does not wait for lines");
    assert_eq!(ended.expect("it was started").code(), Some(130));
    drop(typed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_no_dead_letter_has_ends_a_command_with_3() {
    let ground = Ground::new().await;
    let nobody = "0193a5b2-0000-7000-8000-000000000000";
    for args in [
        &["dlq", "show", nobody][..],
        &["dlq", "replay", nobody, "--yes"],
        &["dlq", "replay", nobody, "--dry-run"],
        &["dlq", "replay", nobody, "--plan"],
        &["dlq", "drop", nobody, "--yes"],
        &["dlq", "edit", nobody, "--patch", "{}"],
        &["why", nobody],
    ] {
        let ran = ground.sluice(args).await.exits(3);
        assert!(ran.stderr.contains(nobody) || ran.stdout.contains(nobody), "{args:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_typed_wrongly_is_answered_with_what_it_needs_and_not_with_what_the_environment_gave() {
    let ground = Ground::bare(None).await;
    for (args, usage) in [
        (&["verify"][..], "Usage: sluice verify [OPTIONS] --receipts <FILE>"),
        (&["dlq", "show"], "Usage: sluice dlq show [OPTIONS] <ID>"),
        (&["dlq", "edit", "--undo"], "Usage: sluice dlq edit [OPTIONS] <ID>"),
    ] {
        let ran = ground.sluice(args).await.exits(2);
        assert!(ran.stderr.contains(usage), "{ran:?}");
    }
}
