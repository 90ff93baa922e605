//! What one run plays on: a prefix and a database of its own, the programs, and the proxies between them and the
//! servers.

use std::process::Stdio;
use std::sync::{Mutex as Lock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mysql_async::prelude::Queryable as _;
use sluice_core::config::DatabaseArgs;
use sluice_lab::testing::{Ground, Port, Program, Proxy};
use sluice_mysql::Store;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::fault::NetworkLine;
use crate::programs::Programs;
use crate::scenario::Needs;
use crate::servers::Servers;

/// How long the operator's tool may take.
const OPERATOR: Duration = Duration::from_secs(180);

/// What was fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repaired {
    Mysql,
    Rabbitmq,
    Workers,
    Producer,
}

/// Something that a run learned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// What was fixed when, in microseconds since 1970.
    pub(crate) fixed: Vec<(Repaired, i64)>,
    /// When a fault began.
    pub(crate) struck: Vec<i64>,
    /// What must not be.
    pub(crate) problems: Vec<String>,
    /// What is worth knowing.
    pub(crate) notes: Vec<String>,
    /// What programs had said that were ended.
    pub(crate) said: Vec<String>,
    /// Messages that are no posts, by their message ids.
    pub(crate) strangers: Vec<String>,
}

struct Proxies {
    workers_to_mysql: Proxy,
    workers_to_rabbitmq: Proxy,
    producers_to_rabbitmq: Proxy,
}

/// All of it.
pub(crate) struct Stage<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) programs: &'a Programs,
    pub(crate) ground: Ground,
    pub(crate) needs: Needs,
    pub(crate) processes: u16,
    proxies: Option<Proxies>,
    /// The front door's, also while there is none.
    port: Port,
    pub(crate) producer: Mutex<Program>,
    pub(crate) workers: Mutex<Program>,
    /// `sluice-producer publish`, while it runs.
    pub(crate) publisher: Mutex<Option<Program>>,
    findings: Lock<Findings>,
}

/// Now, in microseconds since 1970: the clock that rows are stamped with.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    i64::try_from(since.as_micros()).expect("it is not that late")
}

impl<'a> Stage<'a> {
    /// Sets it: the programs run, and nothing is sent yet.
    pub(crate) async fn set(servers: &'a Servers, programs: &'a Programs, needs: Needs, processes: u16) -> Self {
        let ground = Ground::on(&servers.stack.amqp_url(), &servers.mysql_url()).await;
        let mut root = servers.root().await;
        root.query_drop(format!("GRANT ALL ON {}.* TO sluice@'127.0.0.1'", ground.name)).await.expect("root may");
        let proxies = needs.proxies.then(|| Proxies {
            workers_to_mysql: Proxy::start(ground.database_address()).expect("a free port"),
            workers_to_rabbitmq: Proxy::start(ground.broker_address()).expect("a free port"),
            producers_to_rabbitmq: Proxy::start(ground.broker_address()).expect("a free port"),
        });
        let port = Port::hold();
        let listen = port.addr().to_string();
        let around = Around { servers, programs, ground: &ground, needs, proxies: proxies.as_ref() };
        let producer = around.producer(&listen);
        let workers = around.workers(processes);
        producer.says("serving", 1).await;
        workers.says("consuming", processes.into()).await;
        let topology = ground.topology();
        servers.have_written_down(&[topology.queue(), topology.dead_letter_queue()]).await;
        if needs.one_sour_in.is_some() {
            ground.sql("ALTER TABLE posts ADD CONSTRAINT nothing_sour CHECK (title NOT LIKE 'sour %')").await;
        }
        let (producer, workers) = (Mutex::new(producer), Mutex::new(workers));
        let (publisher, findings) = (Mutex::new(None), Lock::default());
        Self { servers, programs, ground, needs, processes, proxies, port, producer, workers, publisher, findings }
    }

    fn around(&self) -> Around<'_> {
        let Self { servers, programs, ground, needs, proxies, .. } = self;
        Around { servers, programs, ground, needs: *needs, proxies: proxies.as_ref() }
    }

    /// The address of the HTTP API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.port.addr())
    }

    /// A new front door, where the one before was.
    pub(crate) fn new_producer(&self) -> Program {
        self.around().producer(&self.port.addr().to_string())
    }

    /// New workers.
    pub(crate) fn new_workers(&self) -> Program {
        self.around().workers(self.processes)
    }

    /// `sluice-producer` with these arguments.
    pub(crate) fn new_publisher(&self, args: &[&str]) -> Program {
        self.programs.start("sluice-producer", args, &self.around().producers_environment())
    }

    /// `sluice` with these arguments, as an operator has it.
    pub(crate) fn sluice(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.programs.path("sluice"));
        command.args(args).envs(self.around().environment()).env("RUST_LOG", "warn");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs `sluice` to its end.
    pub(crate) async fn operate(&self, args: &[&str]) -> std::process::Output {
        let ran = tokio::time::timeout(OPERATOR, self.sluice(args).output()).await;
        ran.unwrap_or_else(|_| panic!("sluice {args:?} has not ended in {OPERATOR:?}")).expect("sluice can be started")
    }

    /// MySQL as the programs use it: not as root, who is let in where others are not.
    pub(crate) fn store(&self) -> Store {
        let environment = self.around().environment();
        let (_, url) = environment.iter().find(|(name, _)| *name == "DATABASE_URL").expect("it is one of them");
        Store::new(&DatabaseArgs { database_url: url.as_str().into() }).expect("a valid address")
    }

    /// The proxy on a line.
    pub(crate) fn proxy(&self, line: NetworkLine) -> &Proxy {
        let proxies = self.proxies.as_ref().expect("a scenario that cuts connections has proxies");
        match line {
            NetworkLine::WorkersToMysql => &proxies.workers_to_mysql,
            NetworkLine::WorkersToRabbitmq => &proxies.workers_to_rabbitmq,
            NetworkLine::ProducersToRabbitmq => &proxies.producers_to_rabbitmq,
        }
    }

    /// The processes that consume, the one that watches over them left out.
    pub(crate) async fn worker_pids(&self) -> Vec<i32> {
        let first = self.workers.lock().await.pid();
        if self.processes == 1 { vec![first] } else { children_of(first) }
    }

    /// What was found so far.
    pub(crate) fn findings(&self) -> std::sync::MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on something is well again.
    pub(crate) fn fixed(&self, what: Repaired) {
        self.findings().fixed.push((what, now()));
    }

    /// Something that must not be.
    pub(crate) fn problem(&self, problem: String) {
        self.findings().problems.push(problem);
    }
}

/// What programs need to be started.
struct Around<'a> {
    servers: &'a Servers,
    programs: &'a Programs,
    ground: &'a Ground,
    needs: Needs,
    proxies: Option<&'a Proxies>,
}

impl Around<'_> {
    /// Without proxies: an operator's.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let (port, password) = (self.servers.stack.database().port(), self.servers.password());
        let mut environment = vec![
            ("AMQP_URL", self.ground.amqp_url.clone()),
            ("DATABASE_URL", format!("mysql://sluice:{password}@127.0.0.1:{port}/{}", self.ground.name)),
            ("SLUICE_PREFIX", self.ground.name.clone()),
        ];
        environment.extend(self.needs.max_length.map(|posts| ("SLUICE_MAX_LENGTH", posts.to_string())));
        environment
    }

    fn producers_environment(&self) -> Vec<(&'static str, String)> {
        let via = |proxies: &Proxies| ("AMQP_URL", self.ground.amqp_url_via(proxies.producers_to_rabbitmq.addr()));
        self.environment().into_iter().chain(self.proxies.map(via)).collect()
    }

    fn producer(&self, listen: &str) -> Program {
        self.programs.start("sluice-producer", &["serve", "--listen", listen], &self.producers_environment())
    }

    fn workers(&self, processes: u16) -> Program {
        let mut environment = self.environment();
        if let Some(proxies) = self.proxies {
            let direct = environment[1].1.clone();
            let mysql = direct
                .replace(&self.ground.database_address().to_string(), &proxies.workers_to_mysql.addr().to_string());
            environment.push(("DATABASE_URL", mysql));
            environment.push(("AMQP_URL", self.ground.amqp_url_via(proxies.workers_to_rabbitmq.addr())));
        }
        let (processes, max_deliveries) = (processes.to_string(), self.needs.max_deliveries.to_string());
        let mut args = vec!["run", "--name", "worker", "--listen", "127.0.0.1:0", "--processes", &processes];
        args.extend(["--hold", self.needs.hold, "--max-deliveries", &max_deliveries]);
        self.programs.start("sluice-worker", &args, &environment)
    }
}

/// The processes that this one has started and that still live.
fn children_of(parent: i32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut pids: Vec<i32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.retain(|pid| {
        // `pid (name) state ppid …`; a name may hold anything.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let mut fields = after.split_whitespace();
        fields.next() != Some("Z") && fields.next().and_then(|ppid| ppid.parse().ok()) == Some(parent)
    });
    pids.sort_unstable();
    pids
}
