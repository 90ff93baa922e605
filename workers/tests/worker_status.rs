//! What a worker says when the roll is called, and that it says it in every state.

mod support;

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use nix::sys::signal::Signal;
use sluice_lab::testing::{Ground, Program, Proxy, eventually};
use sluice_rabbit::worker_status::{self, State, WorkerStatus};
use support::{start, stored, waiting, with_mysql_behind_a_proxy, worker};

/// Calls until the answers are as wanted.
async fn hears(ground: &Ground, what: &str, wanted: impl Fn(&[WorkerStatus]) -> bool) -> Vec<WorkerStatus> {
    eventually(what, async || {
        let heard = worker_status::call(&ground.broker(), &ground.topology(), Duration::from_millis(500)).await;
        let heard = heard.map_err(|error| error.to_string())?;
        if wanted(&heard) { Ok(heard) } else { Err(format!("{heard:?}")) }
    })
    .await
}

fn all_are(heard: &[WorkerStatus], state: State) -> bool {
    !heard.is_empty() && heard.iter().all(|status| status.state == state)
}

#[tokio::test]
async fn where_no_worker_is_nobody_answers() {
    let ground = Ground::new().await;
    hears(&ground, "silence", <[_]>::is_empty).await;
}

/// A worker that answers: it may consume a while before.
async fn answering(ground: &Ground) -> Program {
    let worker = worker(ground, &[]).await;
    hears(ground, "the worker", |heard| heard.len() == 1).await;
    worker
}

/// Calls, and has the answer sent there.
async fn call_for(channel: &lapin::Channel, ground: &Ground, reply_to: &str) {
    let properties = BasicProperties::default().with_reply_to(reply_to.into());
    let (exchange, options) = (ground.topology().worker_status(), BasicPublishOptions::default());
    channel.basic_publish(exchange.into(), "".into(), options, b"", properties).await.expect("the call is sent");
}

#[tokio::test]
async fn an_answer_goes_to_whoever_asks_and_into_no_queue() {
    let ground = Ground::new().await;
    let worker = answering(&ground).await;
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    for queue in [ground.topology().queue(), ground.topology().dead_letter_queue()] {
        call_for(&channel, &ground, &queue).await;
    }
    worker.says("a worker-status request was ignored", 1).await;
    let heard = hears(&ground, "the worker all the same", |heard| heard.len() == 1).await;
    assert_eq!((ground.depth().await.ready, ground.dead().await.ready, heard[0].in_flight), (0, 0, 0));
    sluice_rabbit::broker::close(&connection).await;
}

#[tokio::test]
async fn a_flood_of_calls_is_answered_in_part_and_the_next_caller_hears_again() {
    let ground = Ground::new().await;
    let worker = answering(&ground).await;
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    let unanswered = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let straight_back = "amq.rabbitmq.reply-to";
    let consume = channel.basic_consume(straight_back.into(), "".into(), unanswered, FieldTable::default());
    let mut answers = consume.await.expect("a direct reply queue");
    for _ in 0..500 {
        call_for(&channel, &ground, straight_back).await;
    }
    worker.says("there were too many requests", 1).await;
    let mut heard = 0;
    while tokio::time::timeout(Duration::from_secs(1), answers.next()).await.is_ok() {
        heard += 1;
    }
    // Twenty a second, and one of the first second's may have been answered before.
    assert!((19..250).contains(&heard), "{heard} of 500");
    hears(&ground, "the worker again", |heard| heard.len() == 1).await;
    sluice_rabbit::broker::close(&connection).await;
}

#[tokio::test]
async fn each_process_answers_by_its_name() {
    let ground = Ground::new().await;
    let mut watcher = start(&ground.environment(), &["--processes", "2", "--name", "w", "--concurrency", "3"]);
    let heard = hears(&ground, "two workers", |heard| heard.len() == 2 && all_are(heard, State::Consuming)).await;
    let names: Vec<_> = heard.iter().map(|status| status.worker.as_str()).collect();
    assert_eq!(names, ["w-1", "w-2"]);
    assert!(heard.iter().all(|status| status.consumers == 3 && status.paused.is_none()), "{heard:?}");
    assert!(watcher.stop().await.success());
    hears(&ground, "silence", <[_]>::is_empty).await;
}

#[tokio::test]
async fn a_pause_is_told_while_posts_are_held_and_after_they_were_let_go() {
    let ground = Ground::new().await;
    let (_worker, proxy) = with_mysql_behind_a_proxy(&ground, &["--hold", "3s"]).await;
    proxy.cut();
    let post = ground.post("held");
    ground.publish(std::slice::from_ref(&post)).await;
    let held = hears(&ground, "a pause", |heard| all_are(heard, State::Paused)).await;
    let pause = held[0].paused.clone().expect("it says why");
    assert_eq!((pause.dependency.as_str(), pause.code.as_str()), ("mysql", "mysql_unreachable"));
    waiting(&ground, 1).await;
    let empty =
        |heard: &[WorkerStatus]| all_are(heard, State::Paused) && heard[0].in_flight == 0 && heard[0].consumers == 0;
    let released = hears(&ground, "an empty hand", empty).await;
    assert_eq!(released[0].paused.as_ref().map(|pause| pause.since), Some(pause.since), "it is the same pause");
    let submitted = released[0].oldest_submitted_at.expect("it remembers the post's age");
    assert!((submitted - post.submitted_at).abs() <= time::Duration::SECOND, "{submitted}");
    proxy.heal();
    stored(&ground, post.id).await;
    hears(&ground, "work", |heard| all_are(heard, State::Consuming) && heard[0].in_flight == 0).await;
}

#[tokio::test]
async fn who_loses_the_broker_answers_again_when_it_is_back() {
    let ground = Ground::new().await;
    let broker = Proxy::start(ground.broker_address()).expect("a free port");
    let mut environment = ground.environment();
    environment.push(("AMQP_URL", ground.amqp_url_via(broker.addr())));
    let _worker = start(&environment, &[]);
    hears(&ground, "a worker", |heard| all_are(heard, State::Consuming)).await;
    broker.cut();
    hears(&ground, "silence", <[_]>::is_empty).await;
    broker.heal();
    hears(&ground, "the worker again", |heard| all_are(heard, State::Consuming)).await;
}

#[tokio::test]
async fn a_frozen_worker_holds_up_nobody() {
    let ground = Ground::new().await;
    let frozen = worker(&ground, &["--name", "frozen"]).await;
    let _lively = worker(&ground, &["--name", "lively"]).await;
    hears(&ground, "both", |heard| heard.len() == 2).await;
    frozen.signal(Signal::SIGSTOP);
    hears(&ground, "one", |heard| heard.len() == 1 && heard[0].worker == "lively").await;
    frozen.signal(Signal::SIGCONT);
    hears(&ground, "both again", |heard| heard.len() == 2).await;
}
