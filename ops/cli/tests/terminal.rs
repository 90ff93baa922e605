//! At a terminal: what a person sees who interrupts, or types a command wrongly.

mod support;

use std::process::Stdio;

use support::{Dead, Ground, PATIENCE, interrupt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// The key Ctrl-C, as a terminal sends it.
const CTRL_C: &[u8] = b"\x03";

/// Starts `sluice` on a terminal of its own, whose keys are the child's stdin and whose page is its stdout. Its exit
/// code is the program's.
fn on_a_terminal(ground: &Ground, args: &str) -> Child {
    on_a_terminal_with(ground, args, &[])
}

/// The same, with more variables.
fn on_a_terminal_with(ground: &Ground, args: &str, more: &[(&str, &str)]) -> Child {
    let sluice = ground.command(&[]);
    let mut command = Command::new("script");
    let line = format!("stty rows 24 cols 80; exec {} {args}", env!("CARGO_BIN_EXE_sluice"));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.envs(sluice.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)))).env("RUST_LOG", "info");
    command.env("TERM", "xterm").env_remove("NO_COLOR").envs(more.iter().copied());
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
    assert_eq!(rest.trim_start_matches("^C"), "\ninterrupted; the dead letters are unchanged\n");
    assert_eq!((ground.queued().await, ground.dead_letters().await), (0, 2));
}

/// How a terminal enters its other screen, and how it comes back.
const OTHER_SCREEN: &str = "\u{1b}[?1049h";
const SCREEN_AS_IT_WAS: &str = "\u{1b}[?1049l";

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_has_a_screen_of_its_own_and_each_way_out_leaves_the_other_as_it_was() {
    let ground = Ground::new().await;
    for key in [b"q".as_slice(), b"\x1b", CTRL_C] {
        let mut watch = on_a_terminal(&ground, "status --watch --interval 200ms");
        let shown = shows(&mut watch, "no worker answers").await;
        assert!(shown.starts_with(OTHER_SCREEN) && !shown.contains(SCREEN_AS_IT_WAS), "{shown:?}");
        watch.stdin.as_mut().expect("it is piped").write_all(key).await.expect("a key is pressed");
        let rest = ground.finish(watch).await.ok().stdout;
        let (_, after) = rest.split_once(SCREEN_AS_IT_WAS).unwrap_or_else(|| panic!("{key:?}: {rest:?}"));
        let rest = after.replace("\u{1b}[?25h", "");
        assert!(rest.is_empty() && rest != after, "the cursor is back, and nothing else follows: {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_a_panic_leave_the_screen_as_it_was_before_anything_is_said() {
    let ground = Ground::new().await;
    let mut watch = on_a_terminal(&ground, "status --watch");
    shows(&mut watch, "no worker answers").await;
    let script = watch.id().expect("it runs").to_string();
    let sent = Command::new("pkill").args(["-TERM", "--parent", &script]).status().await;
    assert!(sent.expect("pkill is there").success());
    let rest = ground.finish(watch).await.ok().stdout;
    assert!(rest.contains(SCREEN_AS_IT_WAS), "{rest:?}");

    let panics = [("FAILPOINTS", "status_drawn=1*off->panic")];
    let watch = on_a_terminal_with(&ground, "status --watch", &panics);
    let ran = ground.finish(watch).await.exits(101);
    let (page, told) = ran.stdout.split_once(SCREEN_AS_IT_WAS).expect("the screen is left");
    assert!(page.starts_with(OTHER_SCREEN) && !page.contains("panicked") && told.contains("panicked"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_lives_on_while_mysql_is_down_and_says_since_when() {
    let ground = Ground::new().await;
    let nobody = [("DATABASE_URL", "mysql://root@127.0.0.1:1/sluice"), ("NO_COLOR", "1")];
    let mut watch = on_a_terminal_with(&ground, "status --watch --interval 200ms", &nobody);
    let shown = shows(&mut watch, "MySQL since 20").await;
    assert!(!["\u{1b}[31m", "\u{1b}[38"].iter().any(|colour| shown.contains(colour)), "NO_COLOR: {shown:?}");
    // Only what has changed is drawn: the time in the first line, again and again.
    for _ in 0..3 {
        shows(&mut watch, "\u{1b}[1;").await;
    }
    watch.stdin.as_mut().expect("it is piped").write_all(b"q").await.expect("a key is pressed");
    ground.finish(watch).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_fits_the_terminal_and_a_pipe_gets_everything() {
    let ground = Ground::new().await;
    let message =
        "Data too long for column 'title', as somebody saw who says more of it than fits on any line of a terminal";
    ground.dead(&[Dead { message: message.to_owned(), ..Dead::new("a title of some length, for a list") }]).await;
    for (command, headings) in
        [("dlq list", ["ID", "CODE", "MESSAGE"]), ("dlq groups", ["COUNT", "FINGERPRINT", "MESSAGE"])]
    {
        let shown = ground.finish(on_a_terminal(&ground, command)).await.ok().stdout.replace('\r', "");
        let table: Vec<&str> = shown.lines().take_while(|line| !line.contains(" dead letters in ")).collect();
        assert!(headings.iter().all(|heading| table[0].contains(heading)), "{shown}");
        assert!(table.len() > 2 && table.iter().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(table.iter().any(|line| line.contains("mysql_1406")) && shown.contains("does not fit"), "{shown}");
        let words: Vec<&str> = command.split(' ').collect();
        let piped = ground.sluice(&words).await.ok();
        assert_eq!(piped.stdout.lines().count(), 2, "{piped:?}");
        assert!(piped.stdout.lines().nth(1).is_some_and(|line| line.ends_with(message)), "{piped:?}");
        assert!(!piped.stderr.contains("does not fit"), "{piped:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_waits_for_lines_ends_at_the_first_ctrl_c() {
    let ground = Ground::new().await;
    let mut import = ground.command(&["dlq", "import", "-"]);
    let mut import = import.stdin(Stdio::piped()).spawn().expect("the program was built");
    let mut typed = import.stdin.take().expect("it is piped");
    typed.write_all(b"no dead letter\n").await.expect("it reads");
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
    let ended = tokio::time::timeout(PATIENCE, import.wait()).await.expect("it does not wait for lines");
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
