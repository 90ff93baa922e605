//! A worker as a process: how it starts, refuses to start, watches over others, and ends.

mod support;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sluice_lab::testing::{Ground, Proxy, eventually};
use support::{start, stored, waiting, with_mysql_behind_a_proxy, with_rabbitmq_behind_a_proxy, worker};

/// The ids of the worker processes that a supervisor said it started, latest last.
fn children(said: &str) -> Vec<i32> {
    said.lines()
        .filter(|line| line.contains("started a worker process"))
        .filter_map(|line| line.split("pid=").nth(1)?.split_whitespace().next()?.parse().ok())
        .collect()
}

fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

#[tokio::test]
async fn a_worker_process_that_dies_is_started_again_and_its_post_is_stored() {
    let ground = Ground::new().await;
    let mut watcher = start(&ground.environment(), &["--processes", "3", "--name", "w"]);
    watcher.says("consuming", 3).await;
    let posts: Vec<_> = (0..300).map(|number| ground.post(&format!("flood {number}"))).collect();
    ground.publish(&posts[..100]).await;
    let victim = children(&watcher.said())[1];
    kill(Pid::from_raw(victim), Signal::SIGKILL).expect("the child runs");
    ground.publish(&posts[100..]).await;
    watcher.says("died=\"signal 9\"", 1).await;
    watcher.says("consuming", 4).await;
    for post in &posts {
        stored(&ground, post.id).await;
    }
    let shares = ground.store().count_by_worker().await.expect("a count");
    assert_eq!(shares.iter().map(|(_, rows)| rows).sum::<u64>(), 300);
    assert!(shares.iter().all(|(name, _)| name.starts_with("w-")), "{shares:?}");
    assert!(watcher.stop().await.success());
    assert!(children(&watcher.said()).into_iter().all(|pid| !is_alive(pid)));
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready), (0, 0));
}

#[tokio::test]
async fn worker_processes_end_when_the_one_that_watches_is_killed() {
    let ground = Ground::new().await;
    let mut watcher = start(&ground.environment(), &["--processes", "2"]);
    watcher.says("consuming", 2).await;
    let pids = children(&watcher.said());
    watcher.kill().await;
    eventually("the worker processes to end", async || {
        let alive: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
        if alive.is_empty() { Ok(()) } else { Err(format!("{alive:?}")) }
    })
    .await;
}

#[tokio::test]
async fn each_consumer_has_one_post_in_flight() {
    let ground = Ground::new().await;
    let (_worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--concurrency", "3"]).await;
    proxy.freeze();
    let posts: Vec<_> = (0..10).map(|number| ground.post(&format!("{number}"))).collect();
    ground.publish(&posts).await;
    waiting(&ground, 7).await;
    proxy.heal();
    for post in &posts {
        stored(&ground, post.id).await;
    }
}

#[tokio::test]
async fn ten_workers_bring_the_schema_up_at_once() {
    let ground = Ground::new().await;
    let environment = ground.environment();
    let workers: Vec<_> = (0..10).map(|_| start(&environment, &["--concurrency", "1"])).collect();
    for worker in &workers {
        worker.says("consuming", 1).await;
    }
    let brought_up = workers.iter().filter(|worker| worker.said().contains("schema upgraded")).count();
    assert_eq!(brought_up, 1, "one works, the others find nothing to do");
}

#[tokio::test]
async fn an_old_schema_is_refused_when_it_may_not_be_touched() {
    let ground = Ground::new().await;
    let mut worker = start(&ground.environment(), &["--migrate", "off"]);
    assert_eq!(worker.ended().await.code(), Some(1));
    assert!(worker.said().contains("sluice migrate"), "{}", worker.said());
}

#[tokio::test]
async fn a_worker_that_starts_during_an_outage_waits_for_its_end() {
    let ground = Ground::new().await;
    let database = Proxy::start(ground.database_address()).expect("a free port");
    let broker = Proxy::start(ground.broker_address()).expect("a free port");
    let mut environment = ground.environment();
    environment.push(("DATABASE_URL", ground.database_url_via(database.addr())));
    environment.push(("AMQP_URL", ground.amqp_url_via(broker.addr())));
    database.cut();
    broker.cut();
    let worker = start(&environment, &["--listen", "localhost:0"]);
    worker.says("waiting for RabbitMQ", 1).await;
    worker.says("paused: mysql", 1).await;
    let address = address(&worker).await;
    measures(&address, "sluice_worker_paused{dependency=\"mysql\"} 1").await;
    database.heal();
    broker.heal();
    worker.says("consuming", 1).await;
    let post = ground.post("after the outage");
    ground.publish(std::slice::from_ref(&post)).await;
    stored(&ground, post.id).await;
}

#[tokio::test]
async fn a_lost_broker_is_found_again() {
    let ground = Ground::new().await;
    let (worker, broker) = with_rabbitmq_behind_a_proxy(&ground, &[]).await;
    broker.cut();
    worker.says("the session with RabbitMQ ended", 1).await;
    broker.heal();
    worker.says("consuming", 2).await;
    let post = ground.post("after the cut");
    ground.publish(std::slice::from_ref(&post)).await;
    stored(&ground, post.id).await;
}

#[tokio::test]
async fn consumers_that_the_broker_cancelled_come_back() {
    let ground = Ground::new().await;
    let worker = worker(&ground, &[]).await;
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    channel.queue_delete(ground.topology().queue().into(), Default::default()).await.expect("the queue can be deleted");
    worker.says("consuming", 2).await;
    let post = ground.post("after the deletion");
    ground.publish(std::slice::from_ref(&post)).await;
    stored(&ground, post.id).await;
}

#[tokio::test]
async fn wrong_settings_and_wrong_servers_are_refused_in_words_that_help() {
    let ground = Ground::new().await;
    let broker = ground.broker().at().to_owned();
    let database = ground.database_address();
    let cases = [
        ("AMQP_URL", "http://127.0.0.1".to_owned(), 2, "AMQP_URL"),
        ("AMQP_URL", format!("amqp://guest:hunter2@{broker}/%2f"), 1, "check the user, the password"),
        ("AMQP_URL", ground.amqp_url.replace("%2f", "hunter2less"), 1, "virtual host"),
        ("DATABASE_URL", "mysql://127.0.0.1".to_owned(), 2, "has no database name"),
        ("DATABASE_URL", format!("mysql://nobody:hunter2@{database}/x"), 1, "check the user and the password"),
        ("DATABASE_URL", ground.database_url.replace(&ground.name, "no_such_database"), 1, "sluice migrate"),
        ("SLUICE_RULES", "/no/such/rules.toml".to_owned(), 1, "/no/such/rules.toml"),
        ("SLUICE_HOLD", "2h".to_owned(), 2, "SLUICE_HOLD"),
        ("SLUICE_MIGRATE", "perhaps".to_owned(), 2, "auto"),
    ];
    for (variable, value, code, words) in cases {
        let mut environment = ground.environment();
        environment.push((variable, value.clone()));
        let mut worker = start(&environment, &[]);
        let ended = worker.ended().await;
        let said = worker.said();
        assert_eq!(ended.code(), Some(code), "{variable}={value}: {said}");
        assert!(said.contains(words), "{variable}={value}: {said}");
        assert!(!said.contains("hunter2") || value.contains("hunter2less"), "a password is shown: {said}");
    }
}

#[tokio::test]
async fn queues_that_are_declared_differently_are_refused() {
    let ground = Ground::new().await;
    ground.declare().await;
    let mut environment = ground.environment();
    environment.push(("SLUICE_MAX_LENGTH", "5".to_owned()));
    let mut worker = start(&environment, &[]);
    assert_eq!(worker.ended().await.code(), Some(1));
    worker.says("x-max-length should be 5, but is none", 1).await;
    worker.says("sluice topology check", 1).await;
}

/// Where a worker says that it shows its signs of life.
async fn address(worker: &sluice_lab::testing::Program) -> String {
    worker.says("address=", 1).await;
    let said = worker.said();
    let address = said.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
    address.expect("it says where").to_owned()
}

/// Status and body of one of its pages.
async fn get(address: &str, path: &str) -> Result<(u16, String), String> {
    let answer = reqwest::get(format!("http://{address}{path}")).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.map_err(|error| error.to_string())?))
}

/// Waits until its metrics have this line.
async fn measures(address: &str, line: &str) {
    eventually(line, async || {
        let (_, metrics) = get(address, "/metrics").await?;
        if metrics.lines().any(|found| found == line) { Ok(()) } else { Err(metrics) }
    })
    .await;
}

#[tokio::test]
async fn the_signs_of_life_tell_a_pause_from_a_worker_that_works() {
    let ground = Ground::new().await;
    let (worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--listen", "127.0.0.1:0"]).await;
    let address = address(&worker).await;
    let get = async |path: &str| get(&address, path).await;
    eventually("it to be ready", async || match get("/readyz").await? {
        (200, _) => Ok(()),
        (_, why) => Err(why),
    })
    .await;
    proxy.cut();
    let post = ground.post("paused");
    ground.publish(std::slice::from_ref(&post)).await;
    worker.says("paused: mysql", 1).await;
    let (status, why) = get("/readyz").await.expect("an answer");
    assert_eq!(status, 503);
    assert!(why.contains("paused: mysql since 20"), "{why}");
    assert_eq!(get("/healthz").await.map(|(status, _)| status), Ok(200), "a pause is no reason to restart it");
    measures(&address, "sluice_worker_paused{dependency=\"mysql\"} 1").await;
    proxy.heal();
    stored(&ground, post.id).await;
    // The row is there before its worker has been told so.
    measures(&address, "sluice_posts_recorded_total{result=\"inserted\"} 1").await;
}

#[tokio::test]
async fn log_lines_have_colours_where_they_are_asked_for_and_none_where_they_are_not_wanted() {
    for (variables, coloured) in
        [(&["CLICOLOR_FORCE"][..], true), (&["CLICOLOR_FORCE", "NO_COLOR"], false), (&[], false)]
    {
        let mut environment = vec![("AMQP_URL", "amqp://127.0.0.1:1".to_owned())];
        environment.extend(variables.iter().map(|name| (*name, "1".to_owned())));
        let worker = start(&environment, &["--database-url", "mysql://root@127.0.0.1:1/none"]);
        worker.says("mysql", 1).await;
        assert_eq!(worker.said().contains("\u{1b}["), coloured, "{variables:?}: {}", worker.said());
    }
}
