//! How the program starts, and what it refuses to start with.

use std::net::TcpListener;
use std::time::Duration;

use sluice_core::config::BrokerArgs;
use sluice_lab::testing::{eventually, in_time};
use sluice_rabbit::topology::Topology;

use crate::support::{Ended, Ground, Reply, ended, until};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// Runs a command that the broker refuses, to its end. A server that had no answer in time serves instead, as it should:
/// on a busy machine it is started again.
async fn refused(ground: &Ground, args: &[&str], variables: &[(&'static str, &str)]) -> Ended {
    eventually("the broker to refuse in time", async || {
        let mut program = ground.start(args, variables);
        until("it has ended, or serves", async || {
            program.has_ended().is_some() || program.said().contains("no answer within")
        })
        .await;
        if program.has_ended().is_some() { Ok(ended(program).await) } else { Err(program.said()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_refused_by_its_number() {
    let ground = Ground::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    let output = ground.run(&["serve", "--listen", &address], &[]).await;
    assert_eq!(output.code, Some(1));
    assert!(output.said.contains(&address) && output.said.contains("SLUICE_LISTEN"), "{}", output.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_ends_every_command_and_is_not_shown() {
    let ground = Ground::new();
    let url = format!("amqp://guest:hunter2@{}/%2f", ground.at());
    for args in [&SERVE[..], &["publish", "/dev/null"], &["generate", "--count", "1"]] {
        let output = refused(&ground, args, &[("AMQP_URL", &url), ("RUST_LOG", "debug")]).await;
        let shown = output.said;
        assert_eq!(output.code, Some(1), "{args:?}: {shown}");
        assert!(shown.contains("AMQP_URL") && shown.contains(&ground.at()), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_virtual_host_ends_the_start() {
    let ground = Ground::new();
    let output = refused(&ground, &SERVE, &[("AMQP_URL", &format!("{}-nowhere", ground.url))]).await;
    assert_eq!(output.code, Some(1), "{}", output.said);
    assert!(output.said.contains("virtual host"), "{}", output.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_wrong_usage_and_is_named() {
    let ground = Ground::new();
    for (variable, value) in [
        ("AMQP_URL", "localhost"),
        ("AMQP_URL", "http://me:hunter2@localhost"),
        ("SLUICE_PREFIX", "a b"),
        ("SLUICE_LISTEN", "8081"),
        ("SLUICE_MAX_LENGTH", "0"),
        ("SLUICE_MAX_BODY", "much"),
        ("SLUICE_MEMORY", "1KiB"),
        ("SLUICE_LOG_FORMAT", "xml"),
        ("RUST_LOG", "[["),
    ] {
        let output = ground.run(&["serve"], &[(variable, value)]).await;
        let shown = output.said;
        assert_eq!(output.code, Some(2), "{variable}={value}: {shown}");
        let flag = format!("--{}", variable.trim_start_matches("SLUICE_").to_lowercase().replace('_', "-"));
        assert!(shown.contains(variable) || shown.contains(&flag), "{variable}={value}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_of_another_make_are_refused_with_the_difference() {
    let ground = Ground::with_max_length(Some(5));
    let connection = ground.connect().await;
    let prefix = ground.prefix.parse().expect("a good prefix");
    let other = BrokerArgs { amqp_url: ground.url.as_str().into(), prefix, max_length: None };
    Topology::new(&other).declare(&connection).await.expect("nothing is there yet");
    for args in [&SERVE[..], &["publish", "/dev/null"]] {
        let output = refused(&ground, args, &[]).await;
        assert_eq!(output.code, Some(1), "{}", output.said);
        assert!(output.said.contains("x-max-length should be 5, but is none"), "{}", output.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_it_serves_and_says_so() {
    let ground = Ground::new();
    // One refuses connections, the other takes them and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let refusing = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    for address in [refusing, silent.local_addr().expect("it listens")] {
        let url = format!("amqp://guest:hunter2@{address}/%2f");
        let server = ground.serve_without(&url).await;
        let reply = server.submit("t").await;
        assert_eq!((reply.status, reply.retry_after.as_deref()), (503, Some("1")));
        assert_eq!(reply.problem(), "not-declared");
        in_time("an answer", reply.took, Duration::from_secs(2));
        assert_eq!(server.get("/healthz").await.status, 200);
        assert_eq!(server.get("/readyz").await.problem(), "not-ready");
        let batch = server.post("/posts/batch", "application/x-ndjson", "{\"title\":\"t\",\"content\":\"c\"}\n{");
        let batch = Reply::of(batch).await;
        assert!(batch.text.contains(r#""status":503"#) && batch.text.contains(r#""status":400"#), "{}", batch.text);
        assert!(!format!("{}{}{}", server.program.said(), reply.text, batch.text).contains("hunter2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_later_is_found() {
    let ground = Ground::new();
    let (proxy, url) = ground.proxied();
    proxy.cut();
    let server = ground.serve_without(&url).await;
    assert_eq!(server.submit("too early").await.status, 503);
    proxy.heal();
    until("it is ready", async || server.get("/readyz").await.status == 200).await;
    assert_eq!(server.submit("in time").await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_turn_out_to_be_of_another_make_are_waited_for() {
    let ground = Ground::with_max_length(Some(5));
    let (proxy, url) = ground.proxied();
    proxy.cut();
    let server = ground.serve_without(&url).await;
    let connection = ground.connect().await;
    let prefix = ground.prefix.parse().expect("a good prefix");
    let other = BrokerArgs { amqp_url: ground.url.as_str().into(), prefix, max_length: None };
    Topology::new(&other).declare(&connection).await.expect("nothing is there yet");
    proxy.heal();
    until("readyz names the difference", async || server.get("/readyz").await.text.contains("x-max-length")).await;
    assert_eq!(server.submit("t").await.problem(), "not-declared");
    assert!(server.program.said().contains(r#""level":"ERROR""#), "{}", server.program.said());

    // The operator deletes the queue: nothing needs a restart.
    let channel = connection.create_channel().await.expect("a channel");
    let deleted = channel.queue_delete(ground.topology().queue().as_str().into(), Default::default()).await;
    deleted.expect("it is there");
    until("it is ready", async || server.get("/readyz").await.status == 200).await;
    assert_eq!(server.submit("t").await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_and_metrics_can_have_a_port_of_their_own() {
    let ground = Ground::new();
    let server = ground.serve_with(&[], &[("SLUICE_HEALTH_LISTEN", "127.0.0.1:0")]).await;
    server.program.says(r#""health":"#, 1).await;
    let said = server.program.said();
    let mut events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let health = events.find_map(|event| Some(format!("http://{}", event["health"].as_str()?))).expect("a port");
    for path in ["/readyz", "/metrics"] {
        assert_eq!(server.get(path).await.problem(), "not-found");
        assert_eq!(Reply::of(server.client.get(format!("{health}{path}"))).await.status, 200);
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(Reply::of(server.client.get(format!("{health}/healthz"))).await.status, 200);
    assert_eq!(server.submit("t").await.status, 202);
    assert_eq!(Reply::of(server.client.post(format!("{health}/posts"))).await.status, 404);
    let metrics = Reply::of(server.client.get(format!("{health}/metrics"))).await.text;
    assert!(metrics.contains("sluice_posts_accepted_total 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_every_variable_and_no_secret() {
    let ground = Ground::new();
    for command in ["serve", "publish", "generate"] {
        let output = ground.run(&[command, "--help"], &[("AMQP_URL", "amqp://me:hunter2@h/%2f")]).await;
        let shown = output.said;
        assert_eq!(output.code, Some(0));
        for variable in ["AMQP_URL", "SLUICE_PREFIX", "SLUICE_MAX_LENGTH", "SLUICE_LOG_FORMAT"] {
            assert!(shown.contains(variable), "{command} --help does not show {variable}");
        }
        assert!(!shown.contains("hunter2"));
    }
    let version = ground.run(&["--version"], &[]).await;
    assert_eq!((version.code, version.said), (Some(0), format!("sluice-producer {}", sluice_core::VERSION)));
}
