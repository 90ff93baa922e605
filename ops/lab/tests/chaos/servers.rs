//! The private servers of a run, and what is done to them that no client could do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use sluice_lab::devstack::{Server as Handle, Stack, StackOptions};
use tokio::process::Command;

use crate::fault::Server;

/// Where Debian and others put it; the wrapper in the PATH insists on being another user.
const RABBITMQCTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const NODE: &str = "sluice@localhost";
/// RabbitMQ's own default.
const WATERMARK: &str = "0.4";
/// Room for MariaDB's own files and for the posts of one run.
const DISK: &str = "size=320m";
/// MariaDB's own limit in a private stack.
const CONNECTIONS: u32 = 500;

/// The private servers. They outlive a scenario, and end with the run.
pub(crate) struct Servers {
    pub(crate) stack: Stack,
    disk: Option<SmallDisk>,
}

impl Servers {
    /// Starts them. `small_disk` has MariaDB's data on it.
    pub(crate) async fn start(small_disk: Option<SmallDisk>) -> Self {
        let dir = small_disk.as_ref().map(|disk| disk.dir.clone());
        let options = StackOptions { dir, deadline: Duration::from_secs(120), ..StackOptions::default() };
        let servers = Self { stack: Stack::start(options).await.expect("private servers"), disk: small_disk };
        // Not one who may do everything: a read-only server lets such a one write.
        let mut root = servers.root().await;
        let password = servers.password();
        root.query_drop(format!("CREATE USER sluice@'127.0.0.1' IDENTIFIED BY '{password}'")).await.expect("a user");
        servers
    }

    /// Ends them.
    pub(crate) async fn stop(self) {
        self.stack.stop().await.expect("the servers end");
    }

    pub(crate) fn of(&self, server: Server) -> &Handle {
        match server {
            Server::Mysql => self.stack.database(),
            Server::Rabbitmq => self.stack.rabbitmq(),
        }
    }

    /// MariaDB's address without a database.
    pub(crate) fn mysql_url(&self) -> String {
        self.stack.database_url("").trim_end_matches('/').to_owned()
    }

    /// The password of MariaDB's users: its root's, and that of the user whom the programs are.
    pub(crate) fn password(&self) -> String {
        let root = mysql_async::Opts::from_url(&self.mysql_url()).expect("a valid address");
        root.pass().expect("a private server has a password").to_owned()
    }

    /// A session of MariaDB's own root.
    pub(crate) async fn root(&self) -> mysql_async::Conn {
        let options = mysql_async::OptsBuilder::from_opts(
            mysql_async::Opts::from_url(&self.mysql_url()).expect("a valid address"),
        );
        mysql_async::Conn::new(options.prefer_socket(false)).await.expect("MariaDB answers its root")
    }

    /// Puts right whatever a scenario that ended early has left wrong.
    pub(crate) async fn fix(&self) {
        for server in [Server::Mysql, Server::Rabbitmq].map(|server| self.of(server)) {
            if server.is_running() {
                server.thaw().expect("it runs");
            }
            server.start().await.expect("it comes back");
        }
        let mut root = self.root().await;
        root.query_drop("SET GLOBAL read_only = 0").await.expect("root may");
        root.query_drop(format!("SET GLOBAL max_connections = {CONNECTIONS}")).await.expect("root may");
        if let Some(disk) = &self.disk {
            disk.empty();
        }
    }

    /// Waits until RabbitMQ has written down that these queues exist. For about a second it knows a new quorum queue in
    /// memory only, however many publishes it has confirmed; killed then, it loses them (3.10).
    pub(crate) async fn have_written_down(&self, queues: &[String]) {
        let begun = Instant::now();
        let data = self.stack.dir().join("rabbitmq/data");
        while !queues.iter().all(|queue| is_in_a_file(&data, "names.dets", queue)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "RabbitMQ does not write its queues down");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How often the broker has delivered a post of this queue a second time since it was last started.
    pub(crate) async fn redelivered(&self, queue: &str) -> u64 {
        let url = format!("{}/api/queues/%2f/{queue}", self.stack.management_url());
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");
        let answer = client.get(url).send().await.expect("the management answers");
        let about: serde_json::Value = answer.json().await.expect("the management speaks JSON");
        about["message_stats"]["redeliver"].as_u64().unwrap_or_default()
    }

    /// Sets or ends the memory alarm.
    pub(crate) async fn memory_alarm(&self, on: bool) {
        // At 0 the alarm is on whatever is used.
        self.rabbitmqctl(&["set_vm_memory_high_watermark", if on { "0" } else { WATERMARK }]).await;
    }

    async fn rabbitmqctl(&self, args: &[&str]) {
        let dir = self.stack.dir();
        let record = fs::read_to_string(dir.join("stack.json")).expect("the stack's record");
        let record: serde_json::Value = serde_json::from_str(&record).expect("the stack's record");
        let mut command = Command::new(RABBITMQCTL);
        command.args(["-n", NODE]).args(args).env_clear().env("HOME", dir.join("home"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
        command.env("ERL_EPMD_PORT", record["rabbitmq"]["epmd"].to_string());
        command.env("RABBITMQ_CONF_ENV_FILE", dir.join("rabbitmq/rabbitmq-env.conf"));
        let ran = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let ran = tokio::time::timeout(Duration::from_secs(60), ran).await.expect("rabbitmqctl ends");
        let ran = ran.expect("rabbitmqctl is installed with RabbitMQ");
        assert!(ran.status.success(), "rabbitmqctl {args:?}: {ran:?}");
    }

    /// The limited disk, if the data are on one.
    pub(crate) fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_ref()
    }
}

/// Whether a file of this name, somewhere below, holds the words.
fn is_in_a_file(below: &Path, name: &str, words: &str) -> bool {
    let Ok(entries) = fs::read_dir(below) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return is_in_a_file(&path, name, words);
        }
        let holds = |bytes: Vec<u8>| bytes.windows(words.len()).any(|window| window == words.as_bytes());
        path.file_name().is_some_and(|file| file == name) && fs::read(&path).is_ok_and(holds)
    })
}

/// A folder for a stack in which MariaDB's part has a size of its own: a file system in memory. Only root can have one.
pub(crate) struct SmallDisk {
    dir: PathBuf,
}

impl SmallDisk {
    /// Makes one.
    ///
    /// # Errors
    /// Why this machine has none.
    pub(crate) fn mount() -> Result<Self, String> {
        let dir = std::env::temp_dir().join(format!("sluice-chaos-{}", uuid::Uuid::new_v4().simple()));
        let data = dir.join("mariadb");
        fs::create_dir_all(&data).map_err(|error| error.to_string())?;
        let disk = Self { dir };
        let mounted = Blocking::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(&data).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(disk),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("mariadb/filler")
    }

    /// Takes what is left.
    pub(crate) fn fill(&self) {
        use std::io::Write as _;
        let mut file = fs::File::create(self.filler()).expect("the disk is there");
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    /// Gives it back.
    pub(crate) fn empty(&self) {
        if self.filler().exists() {
            fs::remove_file(self.filler()).expect("it is ours");
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the servers may still be on their way out.
        let _ = Blocking::new("umount").arg("--lazy").arg(self.dir.join("mariadb")).output();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
