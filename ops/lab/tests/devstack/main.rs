//! Private servers, for real: they come up, keep apart, keep their data, and leave nothing behind.

mod probe;
mod traces;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use mysql_async::prelude::Queryable as _;
use probe::{QUEUE, broker, database, http_status, kill_and_start, message, put_message, put_row, row};
use sluice_lab::devstack::{Stack, StackError, StackOptions, StackState};
use traces::{assert_loopback_only, is_in_a_file, processes_of, until};

/// With this set, the test program is an owner that waits to be killed.
const OWNER: &str = "SLUICE_DEVSTACK_TEST_OWNER";

#[tokio::test]
async fn two_stacks_keep_apart_and_each_ends_with_its_owner_even_one_killed_with_sigkill() {
    let mut owner = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "an_owner_that_waits_to_be_killed", "--nocapture"])
        .env(OWNER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let said = BufReader::new(owner.stdout.take().expect("it is piped"));
    let read = move || said.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("DIR=")?.1.to_owned()));
    let (ours, dir) = tokio::join!(Stack::start(StackOptions::default()), tokio::task::spawn_blocking(read));
    let ours = ours.expect("a stack");
    let dir = PathBuf::from(dir.expect("no panic").expect("the owner has its stack"));
    let theirs = Stack::attach(&dir).expect("it is there");

    put_row(&ours).await;
    put_message(&ours).await;
    let databases: Vec<String> = database(&theirs, "").await.query("SHOW DATABASES").await.expect("a list");
    assert!(!databases.contains(&"kept".to_owned()), "{databases:?}");
    let (_connection, channel) = broker(&theirs).await;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    assert!(channel.queue_declare(QUEUE.into(), passive, FieldTable::default()).await.is_err(), "it is there too");
    assert!(http_status(&ours.management_url()).await.starts_with("HTTP/1.1 200"), "no management pages");
    // AMQP, management, distribution, epmd, MySQL.
    assert_loopback_only(ours.dir(), 5);

    assert!(processes_of(&dir).len() >= 4, "epmd, RabbitMQ with a helper, the database server");
    owner.kill().expect("our own child");
    owner.wait().expect("our own child");
    until("the guardian has ended everything", || !dir.exists() && processes_of(&dir).is_empty()).await;

    assert_eq!(row(&ours).await, "a row");
    let dir = ours.dir().to_owned();
    drop(ours);
    until("a dropped stack is gone", || !dir.exists() && processes_of(&dir).is_empty()).await;
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_data_and_a_frozen_one_goes_on() {
    let stack = Stack::start(StackOptions::default()).await.expect("a stack");
    put_row(&stack).await;
    put_message(&stack).await;
    // For about a second RabbitMQ knows a new quorum queue in memory only, however many publishes it has confirmed.
    until("the queue is on disk", || is_in_a_file(&stack.dir().join("rabbitmq/data"), "names.dets", QUEUE)).await;

    tokio::join!(kill_and_start(stack.rabbitmq()), kill_and_start(stack.database()));
    assert_eq!(row(&stack).await, "a row");
    assert_eq!(message(&stack).await, b"a message");

    let server = stack.database();
    server.freeze().expect("it runs");
    assert!(server.is_running());
    let frozen = tokio::time::timeout(Duration::from_millis(300), row(&stack)).await;
    assert!(frozen.is_err(), "a frozen server answered");
    server.thaw().expect("it runs");
    assert_eq!(row(&stack).await, "a row");

    // Once more, in its own time; and a stop of a frozen one thaws it.
    server.freeze().expect("it runs");
    server.stop().await.expect("it ends");
    assert!(!server.is_running());
    assert!(matches!(server.freeze(), Err(StackError::NotRunning(name)) if name == server.name()));
    server.start().await.expect("it comes back");
    assert_eq!(row(&stack).await, "a row");

    let dir = stack.dir().to_owned();
    stack.stop().await.expect("all of it ends");
    assert!(!dir.exists(), "{} is left", dir.display());
    assert_eq!(processes_of(&dir), [] as [u32; 0]);
}

#[tokio::test]
async fn no_other_user_of_the_machine_gets_into_a_stack_nor_reads_its_passwords() {
    use mysql_async::{Conn, Opts, OptsBuilder};
    let stack = Stack::start(StackOptions::default()).await.expect("a stack");

    let urls = [stack.amqp_url(), stack.management_url(), stack.database_url("sluice")];
    let passwords = urls.clone().map(|url| url::Url::parse(&url).expect("a URL").password().expect("one").to_owned());
    assert!(passwords.iter().all(|password| password.len() == 32), "random ones");
    assert_ne!(passwords[0], passwords[2]);

    let known = Opts::from_url(&urls[2]).expect("an address");
    let mut conn = Conn::new(known.clone()).await.expect("the database that programs use is there");
    for user in ["root", "", "mysql", "sluice", "mariadb.sys"] {
        let stranger = OptsBuilder::from_opts(known.clone()).user(Some(user)).pass(None::<&str>).db_name(None::<&str>);
        assert!(Conn::new(stranger).await.is_err(), "{user:?} gets in without a password");
    }
    let (files, infile): (String, bool) =
        conn.query_first("SELECT @@secure_file_priv, @@local_infile").await.expect("a server").expect("a row");
    assert!(Path::new(&files).starts_with(stack.dir()), "statements may read and write files in {files}");
    assert!(!infile);
    conn.disconnect().await.expect("an orderly end");

    let guest = stack.amqp_url().replace(&format!("sluice:{}", passwords[0]), "guest:guest");
    assert!(Connection::connect(&guest, ConnectionProperties::default()).await.is_err(), "guest gets in");

    for pid in processes_of(stack.dir()) {
        for shown in ["cmdline", "environ"] {
            let shown = std::fs::read(format!("/proc/{pid}/{shown}")).unwrap_or_default();
            let shown = String::from_utf8_lossy(&shown);
            assert!(!passwords.iter().any(|password| shown.contains(password)), "{shown}");
        }
    }
    let mode = |name: &str| stack.dir().join(name).metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("secrets.json"), mode("rabbitmq/rabbitmq.conf")], [0o700, 0o600, 0o600]);
    assert_eq!(mode("home/.erlang.cookie"), 0o400);
    let logs = std::fs::read_dir(stack.dir().join("logs")).expect("a folder").flatten();
    for log in logs.filter_map(|log| std::fs::read_to_string(log.path()).ok()) {
        assert!(!passwords.iter().any(|password| log.contains(password)), "a log shows a password");
    }
    assert!(!passwords.iter().any(|password| format!("{stack:?}").contains(password)));
    stack.stop().await.expect("all of it ends");
}

/// Not a test but the owner of the test above. By itself it does nothing.
#[tokio::test]
async fn an_owner_that_waits_to_be_killed() {
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let stack = Stack::start(StackOptions::default()).await.expect("a stack");
    println!("\nDIR={}", stack.dir().display());
    // Until the test kills it, or is gone itself.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
}

#[tokio::test]
async fn a_stack_that_is_up_stays_is_repaired_and_goes_down_with_its_data_kept() {
    let home = tempfile::tempdir().expect("a temporary folder");
    // With a space and long, as users' folders are; no socket's path may depend on it.
    let dir = home.path().join(format!("a stack {}", "x".repeat(120)));
    assert!(matches!(Stack::attach(&dir), Err(StackError::NotUp(_))));
    assert!(!Stack::down(&dir, false).await.expect("nothing is up"));

    let (stack, state) = up(&dir).await.expect("it comes up");
    assert_eq!(state, StackState::Started);
    put_row(&stack).await;
    let (broker, database) = (stack.rabbitmq().pid(), stack.database().name());
    drop(stack);

    let stack = Stack::attach(&dir).expect("it is up");
    assert_eq!(stack.rabbitmq().pid(), broker);
    stack.database().kill().await.expect("it is ours to kill");
    let refused = Stack::start(StackOptions { dir: Some(dir.clone()), ..StackOptions::default() }).await;
    assert!(matches!(refused, Err(StackError::Up(_))), "{refused:?}");
    let (stack, state) = up(&dir).await.expect("it is repaired");
    assert_eq!(state, StackState::Repaired(stack.database().name()));
    assert_eq!(stack.rabbitmq().pid(), broker);
    assert_eq!(row(&stack).await, "a row");
    assert_eq!(up(&dir).await.expect("it is up").1, StackState::AlreadyUp);

    assert!(Stack::down(&dir, false).await.expect("it goes down"));
    assert_eq!(processes_of(&dir), [] as [u32; 0]);
    assert!(dir.join(database).join("data").is_dir(), "the data are kept");
    assert!(!Stack::down(&dir, true).await.expect("nothing is up"));
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_folder_that_is_not_a_stacks_is_never_removed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("stack.json"), r#"{"name": "someone else's"}"#).expect("a file");
    assert!(matches!(Stack::down(dir.path(), true).await, Err(StackError::NotOurs(_))));
    assert!(matches!(up(dir.path()).await, Err(StackError::NotOurs(_))));
    assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 1);
}

#[tokio::test]
async fn a_folder_keeps_to_the_servers_that_made_its_data() {
    let (dir, root) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let ports = r#"{"amqp": 1, "management": 2, "distribution": 3, "epmd": 4}"#;
    let record = format!(r#"{{"mark": "m", "bound": false, "rabbitmq": {ports}, "database": 5}}"#);
    std::fs::write(dir.path().join("stack.json"), record).expect("a record of this machine's servers");
    let error = Stack::up(dir.path(), Some(root.path())).await.expect_err("its data are not a root's");
    assert!(matches!(error, StackError::OtherServers { .. }), "{error}");
    assert!(error.to_string().contains("holds data of servers from this machine, not from the root in"), "{error}");
}

#[tokio::test]
async fn a_stack_that_is_not_ready_in_time_says_so_and_leaves_no_process() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    // No broker is that quick.
    let options =
        StackOptions { dir: Some(dir.path().to_owned()), deadline: Duration::from_secs(2), ..StackOptions::default() };
    let error = Stack::start(options).await.expect_err("it cannot be ready").to_string();
    assert!(error.contains("within 2 s") || error.contains("more than 2 s"), "{error}");
    assert_eq!(processes_of(dir.path()), [] as [u32; 0]);
}

/// Brings a stack up, of the same servers that the tests run on.
async fn up(dir: &Path) -> Result<(Stack, StackState), StackError> {
    Stack::up(dir, StackOptions::default().root.as_deref()).await
}
