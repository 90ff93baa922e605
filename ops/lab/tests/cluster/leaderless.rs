//! A queue that has lost its leader is called that everywhere, and neither full nor healthy; so is one with too few
//! members.

use std::time::Duration;

use serde_json::Value;
use sluice_lab::devstack::cluster::ClusterOptions;
use sluice_lab::testing::eventually;

use crate::stage::Stage;

/// A post sent to the producer: the status, and the name of the problem if there is one.
async fn submit(stage: &Stage) -> (u16, String) {
    let body = serde_json::json!({"title": "on a cluster", "content": "c"});
    let answer = reqwest::Client::new().post(stage.url("/posts")).json(&body).send().await.expect("an answer");
    let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.expect("an object"));
    let problem = body["type"].as_str().unwrap_or_default().trim_start_matches("urn:sluice:problem:").to_owned();
    (status, problem)
}

async fn get(stage: &Stage, path: &str) -> (u16, String) {
    let answer = reqwest::get(stage.url(path)).await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// How often the producer has said this.
fn told(stage: &Stage, words: &str) -> usize {
    stage.producer.said().matches(words).count()
}

#[tokio::test]
async fn a_queue_without_a_leader_is_called_that_by_the_producer_and_by_every_command_until_it_has_one() {
    let stage = Stage::new(ClusterOptions { databases: 1, ..ClusterOptions::default() }, 0).await;
    assert_eq!(submit(&stage).await.0, 202);
    let queue = stage.ground.topology().queue();
    let leader = eventually("a leader", async || {
        let leader = stage.cluster.leader_of(&queue).await.map_err(|error| error.to_string())?;
        leader.ok_or_else(|| "none".to_owned())
    })
    .await;
    let (left, other) = ((leader + 1) % 3, (leader + 2) % 3);
    let (said, succeeded) = stage.run(&["topology", "check"]).await;
    assert!(succeeded, "{said}");

    for i in [leader, other] {
        stage.cluster.broker(i).kill().await.expect("it is ours to kill");
    }
    let mut problems = Vec::new();
    eventually("posts to be refused because there is no leader", async || {
        let (status, problem) = submit(&stage).await;
        problems.push(problem.clone());
        if (status, problem.as_str()) == (503, "no-leader") { Ok(()) } else { Err((status, problem)) }
    })
    .await;
    assert!(!problems.iter().any(|problem| problem == "queue-full"), "{problems:?}");
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        let (status, problem) = submit(&stage).await;
        assert!(status == 503 && problem != "queue-full", "{status} {problem}");
        let (status, why) = get(&stage, "/readyz").await;
        assert!(status == 503 && why.contains("has no leader"), "{status} {why}\n{}", stage.producer.said());
        let (_, metrics) = get(&stage, "/metrics").await;
        assert!(metrics.contains("sluice_producer_broker_up 0"), "{metrics}");
    }
    let management = stage.cluster.management_url(left);
    let password = management.split([':', '@']).nth(2).expect("it has one").to_owned();
    let commands: [&[&str]; 5] = [
        &["topology", "check"],
        &["status"],
        &["dlq", "list"],
        &["topology", "check", "--management-url", &management],
        &["status", "--management-url", &management],
    ];
    for command in commands {
        let down = if command.contains(&"--management-url") { 2 } else { 0 };
        // Where a node that is down is tried first, one that is busy may get too little time for its answer.
        eventually("it to be named", async || {
            let (said, succeeded) = stage.run(command).await;
            assert!(!succeeded && !said.contains(&password), "{command:?}: {said}");
            let named = said.contains("has no leader") && said.matches("is down: start it").count() == down;
            if named { Ok(()) } else { Err(said) }
        })
        .await;
    }
    let (gone, back) = ("RabbitMQ accepts no posts", "RabbitMQ accepts posts again");
    assert_eq!((told(&stage, gone), told(&stage, back)), (1, 0), "{}", stage.producer.said());

    stage.cluster.start_brokers().await.expect("they come back");
    eventually("posts to be accepted", async || match submit(&stage).await {
        (202, _) => Ok(()),
        refused => Err(refused),
    })
    .await;
    eventually("the producer to be ready", async || match get(&stage, "/readyz").await {
        (200, _) => Ok(()),
        other => Err(other),
    })
    .await;
    // It checks once a second, and logs what it finds: a post may be accepted before.
    stage.producer.says(back, 1).await;
    assert_eq!((told(&stage, gone), told(&stage, back)), (1, 1), "{}", stage.producer.said());

    // What a queue has that was declared before the other nodes were there.
    let node = format!("sluice{}@localhost", other + 1);
    let shrink = format!("rabbit_quorum_queue:delete_member(<<\"/\">>, <<\"{queue}\">>, '{node}').");
    let management = stage.cluster.management_url(left);
    let few = ["topology", "check", "--management-url", &management];
    eventually("all to be well", async || match stage.run(&few).await {
        (_, true) => Ok(()),
        (said, _) => Err(said),
    })
    .await;
    eventually("the member to be gone", async || {
        stage.cluster.rabbitmqctl(left, &["eval", &shrink]).await.map_err(|error| error.to_string())?;
        let members = stage.cluster.members_of(&queue).await.map_err(|error| error.to_string())?;
        if members.len() == 2 { Ok(()) } else { Err(format!("{members:?}")) }
    })
    .await;
    let grow = format!("{queue} has 2 of 3 members: `rabbitmq-queues grow {node} all --queue-pattern '^{queue}$'`");
    // What 3.10 tells of members is up to some seconds old.
    eventually("too few members to be named", async || {
        let (said, succeeded) = stage.run(&few).await;
        if !succeeded && said.contains(&grow) { Ok(()) } else { Err(said) }
    })
    .await;
    stage.cluster.stop().await.expect("all of it ends");
}
