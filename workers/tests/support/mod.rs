//! What the worker's tests share.

use sluice_core::post::PostId;
use sluice_lab::testing::{Ground, Program, Proxy, eventually};
use sluice_mysql::StoredPost;

/// Starts `sluice-worker run` on this ground and waits until it consumes.
#[allow(dead_code, reason = "not every file of tests starts one like that")]
pub(crate) async fn worker(ground: &Ground, args: &[&str]) -> Program {
    let worker = start(&ground.environment(), args);
    worker.says("consuming", 1).await;
    worker
}

/// Starts `sluice-worker run` with this environment; a later setting of a variable wins.
pub(crate) fn start(environment: &[(&str, String)], args: &[&str]) -> Program {
    let args = [&["run"], args].concat();
    Program::start(env!("CARGO_BIN_EXE_sluice-worker"), &args, environment)
}

/// A worker that consumes, and whose connections to MySQL can be cut.
#[allow(dead_code, reason = "not every file of tests cuts them")]
pub(crate) async fn with_mysql_behind_a_proxy(ground: &Ground, args: &[&str]) -> (Program, Proxy) {
    let proxy = Proxy::start(ground.database_address()).expect("a free port");
    (behind(ground, ("DATABASE_URL", ground.database_url_via(proxy.addr())), args).await, proxy)
}

/// A worker that consumes, and whose connections to RabbitMQ can be cut.
#[allow(dead_code, reason = "not every file of tests cuts them")]
pub(crate) async fn with_rabbitmq_behind_a_proxy(ground: &Ground, args: &[&str]) -> (Program, Proxy) {
    let proxy = Proxy::start(ground.broker_address()).expect("a free port");
    (behind(ground, ("AMQP_URL", ground.amqp_url_via(proxy.addr())), args).await, proxy)
}

#[allow(dead_code, reason = "not every file of tests cuts a connection")]
async fn behind(ground: &Ground, address: (&'static str, String), args: &[&str]) -> Program {
    let mut environment = ground.environment();
    // With each retry and its reason.
    environment.extend([address, ("RUST_LOG", "info,sluice_worker=debug".to_owned())]);
    let worker = start(&environment, args);
    worker.says("consuming", 1).await;
    worker
}

/// An environment and the rules it names, which find nothing: reading the built-in ones takes most of a worker's start.
#[allow(dead_code, reason = "not every file of tests starts that many")]
pub(crate) fn quick_start(ground: &Ground) -> (Vec<(&'static str, String)>, tempfile::NamedTempFile) {
    let rules = tempfile::NamedTempFile::with_suffix(".toml").expect("a temporary file");
    std::fs::write(rules.path(), "[categories.none]\nhold = 50\n").expect("the file is ours");
    let mut environment = ground.environment();
    environment.push(("SLUICE_RULES", rules.path().display().to_string()));
    (environment, rules)
}

/// Waits until a post is stored.
#[allow(dead_code, reason = "not every file of tests waits for a single one")]
pub(crate) async fn stored(ground: &Ground, id: PostId) -> StoredPost {
    let store = ground.store();
    eventually("the post to be stored", async || {
        store.post(id).await.map_err(|error| error.to_string())?.ok_or("no row".to_owned())
    })
    .await
}

/// Whether a post is stored now.
#[allow(dead_code, reason = "not every file of tests asks")]
pub(crate) async fn is_stored(ground: &Ground, id: PostId) -> bool {
    ground.store().post(id).await.expect("the database answers").is_some()
}

/// Waits until so many posts wait in the queue.
#[allow(dead_code, reason = "not every file of tests asks")]
pub(crate) async fn waiting(ground: &Ground, ready: u32) {
    eventually("posts to wait in the queue", async || {
        let depth = ground.depth().await;
        if depth.ready == ready { Ok(()) } else { Err(depth) }
    })
    .await;
}

/// Waits until so many dead letters are there.
#[allow(dead_code, reason = "not every file of tests asks")]
pub(crate) async fn dead(ground: &Ground, ready: u32) {
    eventually("dead letters", async || {
        let depth = ground.dead().await;
        if depth.ready == ready { Ok(()) } else { Err(depth) }
    })
    .await;
}
