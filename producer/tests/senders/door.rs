//! What a token is good for.

use lapin::types::AMQPValue;

use crate::register::{Register, batch, entry, post};
use crate::support::{Ground, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_senders_token_lets_posts_in_and_its_name_travels_with_them() {
    let ground = Ground::new();
    let register = Register::new(&(entry("forum", "rate = 1000") + &entry("blog", "")));
    let server = register.serve(&ground, &[]).await;
    for (path, content_type) in [("/posts", "application/json"), ("/posts/batch", "application/x-ndjson")] {
        let body = r#"{"title":"t","content":"c"}"#;
        for authorization in [None, Some("Bearer nobody"), Some("Bearer "), Some("forum"), Some("Basic forum")] {
            let request = server.post(path, content_type, body);
            let request = match authorization {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let response = request.try_clone().expect("a body in memory").send().await.expect("an answer");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            let reply = Reply::of(request).await;
            assert_eq!((reply.status, reply.problem().as_str()), (401, "unauthorized"), "{authorization:?}");
        }
    }
    // Who asks for its health shows no token.
    assert_eq!((server.get("/healthz").await.status, server.get("/readyz").await.status), (200, 200));
    assert_eq!(post(&server, "forum", "of the forum").await.status, 202);
    assert_eq!(post(&server, "blog", "of the blog").await.status, 202);
    assert_eq!(batch(&server, "forum", 2).await.text.matches("queued").count(), 2);

    let messages = ground.take_all().await;
    let sender = |header: Option<&AMQPValue>| match header {
        Some(AMQPValue::LongString(name)) => name.to_string(),
        other => panic!("{other:?}"),
    };
    let mut senders: Vec<String> = messages
        .iter()
        .map(|message| {
            sender(message.properties.headers().as_ref().and_then(|table| table.inner().get("sluice-sender")))
        })
        .collect();
    senders.sort();
    assert_eq!(senders, ["blog", "forum", "forum", "forum"]);
    assert!(messages.iter().all(|message| message.body.get("sender").is_none()), "it is no part of the post");
    server.measures(r#"sluice_sender_posts_total{sender="forum",result="accepted"} 3"#).await;
    server.measures(r#"sluice_sender_posts_total{sender="blog",result="accepted"} 1"#).await;
    let said = server.program.said();
    assert!(!said.contains("Bearer") && said.contains(r#""senders":2"#), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_made_by_the_command_is_let_in() {
    let ground = Ground::new();
    let made = ground.run(&["token", "forum", "--rate", "5", "--burst", "7"], &[]).await;
    assert_eq!(made.code, Some(0), "{}", made.said);
    let token = made.said.lines().find_map(|line| line.strip_prefix("token: ")).expect("it is shown").to_owned();
    let rows: Vec<&str> = made.said.lines().filter(|line| line.starts_with('[') || line.contains(" = ")).collect();
    assert!(rows.contains(&"rate = 5") && rows.contains(&"burst = 7") && !rows.concat().contains(&token), "{rows:?}");
    let server = Register::new(&rows.join("\n"));
    let server = server.serve(&ground, &[]).await;
    assert_eq!(post(&server, &token, "t").await.status, 202);
    let json = ground.run(&["token", "blog", "--json"], &[]).await;
    let json: serde_json::Value = serde_json::from_str(json.said.trim()).expect("one object");
    assert_eq!((&json["name"], &json["rate"], &json["burst"]), (&"blog".into(), &100.0.into(), &1000.into()));
    assert_ne!(json["token"], token);
    for wrong in [&["token", "a b"][..], &["token", "x", "--rate", "0"], &["token", "x", "--burst", "0"], &["token"]] {
        assert_eq!(ground.run(wrong, &[]).await.code, Some(2), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_faster_than_its_rate_is_told_when_to_come_back() {
    let ground = Ground::new();
    // Nothing comes back into the bucket during the test.
    let register =
        Register::new(&(entry("slow", "rate = 0.001\nburst = 3") + &entry("other", "rate = 0.001\nburst = 5")));
    let server = register.serve(&ground, &[]).await;
    assert_eq!(post(&server, "slow", "one").await.status, 202);
    // What is no post costs as much.
    let bad = server.post("/posts", "application/json", "{}").bearer_auth("slow");
    assert_eq!(Reply::of(bad).await.status, 422);
    assert_eq!(post(&server, "slow", "two").await.status, 202);
    for _ in 0..3 {
        let reply = post(&server, "slow", "too many").await;
        assert_eq!((reply.status, reply.problem().as_str()), (429, "rate-limited"));
        let wait: u64 = reply.retry_after.as_deref().expect("it says when").parse().expect("seconds");
        assert!((900..=1000).contains(&wait) && reply.json()["retry_after"] == wait, "{wait}");
    }
    let reply = batch(&server, "slow", 3).await;
    assert_eq!((reply.status, reply.problem().as_str()), (429, "rate-limited"));

    // A batch costs as many as it has lines; the rest of one that is too large is refused in one line.
    let reply = batch(&server, "other", 9).await;
    let results: Vec<serde_json::Value> =
        reply.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((reply.status, results.len()), (200, 6), "{}", reply.text);
    assert!(results[..5].iter().all(|result| result["status"] == "queued"), "{}", reply.text);
    let last = &results[5];
    assert_eq!((&last["line"], &last["status"], &last["error"]["status"]), (&6.into(), &"refused".into(), &429.into()));
    assert_eq!(last["error"]["type"], "urn:sluice:problem:rate-limited");
    assert!(last["error"]["retry_after"].as_u64().is_some_and(|wait| wait >= 900), "{last}");
    assert!(last["error"]["detail"].as_str().is_some_and(|told| told.contains("all that follow")), "{last}");
    assert_eq!(ground.take_all().await.len(), 7);
    server.measures(r#"sluice_sender_posts_total{sender="slow",result="limited"} 4"#).await;
}
