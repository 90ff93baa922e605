//! How each fault is done, and undone after its time.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sluice_lab::testing::Program;
use tokio::time::sleep;

use crate::fault::{Fault, NetworkLine, Server};
use crate::stage::{Repaired, Stage};

/// How soon a service manager starts a single worker process again.
const SERVICE_MANAGER: Duration = Duration::from_millis(300);
/// As few as MariaDB lets one set.
const FEWEST_CONNECTIONS: usize = 10;
/// How long dead letters may take to be replayed, again and again.
const REPLAYED: Duration = Duration::from_secs(120);

impl Stage<'_> {
    /// Does it, waits for its time, undoes it.
    pub(crate) async fn strike(&self, fault: Fault) {
        match fault {
            Fault::KillWorker(victim) => self.kill_worker(victim).await,
            Fault::KillSupervisor { down_for } => self.kill_first_worker(down_for).await,
            Fault::FreezeWorker { victim, lasting } => self.freeze_worker(victim, lasting).await,
            Fault::RestartWorkers { down_for } => {
                let mut workers = self.workers.lock().await;
                self.ended_in_order("workers", workers.stop().await);
                sleep(down_for).await;
                self.replace(&mut workers, self.new_workers(), Repaired::Workers);
            }
            Fault::KillProducers { down_for } => {
                let mut producer = self.producer.lock().await;
                producer.kill().await;
                self.kill_publisher().await;
                sleep(down_for).await;
                self.replace(&mut producer, self.new_producer(), Repaired::Producer);
            }
            Fault::RestartProducer { down_for } => {
                let mut producer = self.producer.lock().await;
                self.ended_in_order("front door", producer.stop().await);
                sleep(down_for).await;
                self.replace(&mut producer, self.new_producer(), Repaired::Producer);
            }
            Fault::Kill { server, down_for } => {
                self.servers.of(server).kill().await.expect("it dies");
                self.bring_back(server, down_for).await;
            }
            Fault::Restart { server, down_for } => {
                self.servers.of(server).stop().await.expect("it stops");
                self.bring_back(server, down_for).await;
            }
            Fault::Freeze { server, lasting } => {
                self.servers.of(server).freeze().expect("it runs");
                sleep(lasting).await;
                self.servers.of(server).thaw().expect("it runs");
                self.fixed(of(server));
            }
            Fault::Cut { line, lasting } => {
                self.proxy(line).cut();
                self.heal(line, lasting).await;
            }
            Fault::Stall { line, lasting } => {
                self.proxy(line).freeze();
                self.heal(line, lasting).await;
            }
            Fault::Slow { line, delay, lasting } => {
                self.proxy(line).delay(delay);
                sleep(lasting).await;
                self.proxy(line).delay(Duration::ZERO);
            }
            other => self.strike_within(other).await,
        }
    }

    /// What happens inside a server, or to what is in it.
    async fn strike_within(&self, fault: Fault) {
        match fault {
            Fault::ReadOnly { lasting } => {
                let mut root = self.servers.root().await;
                root.query_drop("SET GLOBAL read_only = 1").await.expect("root may");
                sleep(lasting).await;
                root.query_drop("SET GLOBAL read_only = 0").await.expect("root may");
                self.fixed(Repaired::Mysql);
            }
            Fault::UsedUpConnections { lasting } => self.use_up_connections(lasting).await,
            Fault::MemoryAlarm { lasting } => {
                self.servers.memory_alarm(true).await;
                sleep(lasting).await;
                self.servers.memory_alarm(false).await;
                self.fixed(Repaired::Rabbitmq);
            }
            Fault::FullDisk { lasting } => {
                let disk = self.servers.disk().expect("a scenario that fills a disk has one");
                // What MariaDB still frees is taken too.
                let until = Instant::now() + lasting;
                while Instant::now() < until {
                    disk.fill();
                    sleep(Duration::from_millis(200)).await;
                }
                disk.empty();
                // A MariaDB that cannot write its log ends itself; its operator starts it again.
                self.servers.of(Server::Mysql).start().await.expect("it comes back");
                self.fixed(Repaired::Mysql);
            }
            Fault::Malformed { messages } => self.publish_strangers(messages).await,
            Fault::Repair => self.ground.sql("ALTER TABLE posts DROP CONSTRAINT nothing_sour").await,
            Fault::KillReplay { after } => self.kill_replay(after).await,
            Fault::Replay => self.replay().await,
            other => panic!("nobody knows how to do this: {other}"),
        }
    }

    async fn kill_worker(&self, victim: usize) {
        if self.processes == 1 {
            return self.kill_first_worker(SERVICE_MANAGER).await;
        }
        if let Some(pid) = self.victim(victim).await {
            kill(pid, Signal::SIGKILL).expect("it runs");
            self.fixed(Repaired::Workers);
        }
    }

    async fn kill_first_worker(&self, down_for: Duration) {
        let mut workers = self.workers.lock().await;
        workers.kill().await;
        sleep(down_for).await;
        self.replace(&mut workers, self.new_workers(), Repaired::Workers);
    }

    async fn freeze_worker(&self, victim: usize, lasting: Duration) {
        if let Some(pid) = self.victim(victim).await {
            kill(pid, Signal::SIGSTOP).expect("it runs");
            sleep(lasting).await;
            kill(pid, Signal::SIGCONT).expect("a frozen process does not end");
            self.fixed(Repaired::Workers);
        }
    }

    /// One of the processes that consume; none in the moments after they were all ended.
    async fn victim(&self, number: usize) -> Option<Pid> {
        let pids = self.worker_pids().await;
        pids.get(number % pids.len().max(1)).copied().map(Pid::from_raw)
    }

    async fn kill_publisher(&self) {
        if let Some(publisher) = self.publisher.lock().await.as_mut()
            && publisher.has_ended().is_none()
        {
            publisher.kill().await;
        }
    }

    fn ended_in_order(&self, what: &str, status: ExitStatus) {
        if !status.success() {
            self.problem(format!("SIGTERM ended the {what} with {status}"));
        }
    }

    /// Puts a new program in place of one that has ended.
    fn replace(&self, program: &mut Program, new: Program, what: Repaired) {
        let old = std::mem::replace(program, new);
        self.findings().said.push(old.said());
        self.fixed(what);
    }

    async fn bring_back(&self, server: Server, down_for: Duration) {
        sleep(down_for).await;
        self.servers.of(server).start().await.expect("it comes back");
        self.fixed(of(server));
    }

    async fn heal(&self, line: NetworkLine, lasting: Duration) {
        sleep(lasting).await;
        self.proxy(line).heal();
        self.fixed(if line == NetworkLine::WorkersToMysql { Repaired::Mysql } else { Repaired::Rabbitmq });
    }

    async fn use_up_connections(&self, lasting: Duration) {
        let mut root = self.servers.root().await;
        let mut others = Vec::new();
        for _ in 0..FEWEST_CONNECTIONS {
            others.push(self.servers.root().await);
        }
        root.query_drop(format!("SET GLOBAL max_connections = {FEWEST_CONNECTIONS}")).await.expect("root may");
        let sessions: Vec<u64> = root
            .query("SELECT id FROM information_schema.processlist WHERE user = 'sluice'")
            .await
            .expect("root may look");
        for session in sessions {
            // It may have ended by itself meanwhile.
            let _ = root.query_drop(format!("KILL CONNECTION {session}")).await;
        }
        sleep(lasting).await;
        drop(others);
        root.query_drop("SET GLOBAL max_connections = 500").await.expect("root may");
        // Well again is what lets an ordinary user in.
        let ordinary = self.store();
        while ordinary.probe().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        self.fixed(Repaired::Mysql);
    }

    async fn publish_strangers(&self, messages: usize) {
        let ids: Vec<String> = (0..messages).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let bodies = [&b"<order number=\"4711\"/>"[..], b"{\"title\": 7}", b"\xff\xfe\x00", b"{}", b"{\"content\":"];
        let messages: Vec<_> =
            ids.iter().zip(bodies.iter().cycle()).map(|(id, body)| (Some(id.clone()), body.to_vec())).collect();
        self.ground.publish_raw(&messages).await;
        self.findings().strangers.extend(ids);
    }

    async fn kill_replay(&self, after: Duration) {
        let before = self.ground.dead().await.ready;
        // Slow enough to be in the midst of it.
        let mut replay =
            self.sluice(&["dlq", "replay", "--all", "--yes", "--rate", "25"]).spawn().expect("sluice can be started");
        sleep(after).await;
        let midst = replay.try_wait().expect("its end can be asked for").is_none();
        replay.kill().await.expect("it is ours");
        let note =
            format!("replay of {before} dead letters killed {}", if midst { "in the midst" } else { "after its end" });
        self.findings().notes.push(note);
    }

    async fn replay(&self) {
        let begun = Instant::now();
        loop {
            let replayed = self.operate(&["dlq", "replay", "--all", "--yes"]).await;
            if replayed.status.success() && self.ground.dead().await.ready == 0 {
                return;
            }
            if begun.elapsed() > REPLAYED {
                return self.problem(format!("not all was replayed in {REPLAYED:?}: {replayed:?}"));
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}

fn of(server: Server) -> Repaired {
    match server {
        Server::Mysql => Repaired::Mysql,
        Server::Rabbitmq => Repaired::Rabbitmq,
    }
}
