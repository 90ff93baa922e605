//! `POST /posts`: what 202 means, and what each refusal looks like.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use sluice_core::post::{PostId, TITLE_MAX_CHARS};
use sluice_lab::testing::in_time;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{Ground, Reply, body_in_pieces, ended, gzip, ids, until};

const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_post_is_in_the_queue_as_the_contract_says() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let id = PostId::new();
    let body = format!(r#"{{"id":"{id}","title":"早上好","content":"a\nb","author":"Ada","extra":1}}"#);
    let reply = Reply::of(server.post("/posts", "application/json; charset=utf-8", body)).await;
    assert_eq!((reply.status, reply.content_type.as_str()), (202, JSON));
    let expected =
        serde_json::json!({"id": id.to_string(), "status": "queued", "message": "Post submitted successfully"});
    assert_eq!(reply.json(), expected);

    let messages = ground.take_all().await;
    let [message] = messages.as_slice() else { panic!("{} messages instead of one", messages.len()) };
    let properties = &message.properties;
    assert_eq!(properties.message_id().as_ref().map(ToString::to_string), Some(id.to_string()));
    assert_eq!(properties.content_type().as_ref().map(ToString::to_string).as_deref(), Some(JSON));
    assert_eq!(*properties.delivery_mode(), Some(2));
    assert_eq!(properties.kind().as_ref().map(ToString::to_string).as_deref(), Some("post.submitted"));
    assert_eq!(*properties.expiration(), None);

    let submitted = message.body["submitted_at"].as_str().expect("a time");
    let submitted = OffsetDateTime::parse(submitted, &Rfc3339).expect("RFC 3339");
    assert!(submitted.offset().is_utc());
    assert_eq!(*properties.timestamp(), u64::try_from(submitted.unix_timestamp()).ok());
    let age = SystemTime::now().duration_since(submitted.into()).expect("it was in the past");
    assert!(age < Duration::from_secs(60), "{age:?}");
    let mut rest = message.body.clone();
    rest.as_object_mut().expect("an object").remove("submitted_at");
    let expected = serde_json::json!({"id": id.to_string(), "title": "早上好", "content": "a\nb", "author": "Ada"});
    assert_eq!(rest, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_status_and_its_name() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let long = serde_json::json!({"title": "x".repeat(TITLE_MAX_CHARS + 1), "content": "c"}).to_string();
    let good = r#"{"title":"t","content":"c"}"#;
    for (content_type, body, status, name) in [
        (JSON, b"title=t".as_slice(), 400, "not-json"),
        (JSON, b"", 400, "not-json"),
        (JSON, b"{\"title\":\"\xff\",\"content\":\"c\"}", 400, "not-json"),
        (JSON, b"{\"title\":\"t\",\"content\":\"c\"} x", 400, "not-json"),
        ("application/x-www-form-urlencoded", good.as_bytes(), 415, "wrong-content-type"),
        ("text/plain", good.as_bytes(), 415, "wrong-content-type"),
        (JSON, b"[]", 422, "invalid-post"),
        (JSON, b"{}", 422, "invalid-post"),
        (JSON, br#"{"title":"","content":"c"}"#, 422, "invalid-post"),
        (JSON, br#"{"title":"t","content":7}"#, 422, "invalid-post"),
        (JSON, br#"{"title":"t","content":"c","id":"seven"}"#, 422, "invalid-post"),
        (JSON, br#"{"title":"t","content":"c","id":"00000000-0000-0000-0000-000000000000"}"#, 422, "invalid-post"),
        (JSON, br#"{"title":"t","content":"c","id":"ffffffff-ffff-ffff-ffff-ffffffffffff"}"#, 422, "invalid-post"),
        (JSON, br#"{"title":"\u200b","content":"\u3164"}"#, 422, "invalid-post"),
        (JSON, long.as_bytes(), 422, "invalid-post"),
    ] {
        let reply = Reply::of(server.post("/posts", content_type, body.to_vec())).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, name), "{}", String::from_utf8_lossy(body));
    }
    let untyped = server.client.post(format!("{}/posts", server.url)).body(good);
    assert_eq!(Reply::of(untyped).await.status, 415);
    for (path, status, name) in [("/posts", 405, "wrong-method"), ("/", 404, "not-found"), ("/post", 404, "not-found")]
    {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, name), "{path}");
    }
    let reply = Reply::of(server.client.delete(format!("{}/healthz", server.url))).await;
    assert_eq!((reply.status, reply.problem().as_str()), (405, "wrong-method"));
    assert!(ground.take_all().await.is_empty(), "a refused post must not be in the queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_fields_at_fault_are_named_in_one_answer() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let request = server.post("/posts", JSON, r#"{"content":"","author":1,"id":"x"}"#);
    let problem = Reply::of(request.header("Idempotency-Key", "not visible")).await.json();
    let fields = problem["errors"].as_array().expect("a list");
    let fields: Vec<_> = fields.iter().map(|error| error["field"].as_str().expect("a name")).collect();
    assert_eq!(fields, ["title", "content", "author", "id", "Idempotency-Key"]);
    assert!(problem["errors"].as_array().expect("a list").iter().all(|error| error["problem"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_and_byte_order_marks_are_taken_on_every_way_in_and_other_encodings_are_called_by_name() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let post = "\u{feff}{\"title\":\"t\",\"content\":\"❤\u{fe0f}\"}\n";
    let ways = [("/posts", JSON, 202), ("/posts/batch", "application/x-ndjson", 200)];
    for (path, content_type, status) in ways {
        let plain = Reply::of(server.post(path, content_type, post)).await;
        let request = server.post(path, content_type, gzip(post).await).header("content-encoding", "GZip");
        for reply in [plain, Reply::of(request).await] {
            assert_eq!(reply.status, status, "{}", reply.text);
            assert!(reply.text.contains("queued"), "{}", reply.text);
        }
        let request = server.post(path, content_type, post).header("content-encoding", "br");
        let reply = Reply::of(request).await;
        assert_eq!((reply.status, reply.problem().as_str()), (415, "wrong-content-encoding"));
        assert!(reply.text.contains("br"), "{}", reply.text);
    }
    let request = server.post("/posts", JSON, post).header("content-encoding", "gzip");
    let reply = Reply::of(request).await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "not-gzip"));
    assert_eq!(ground.take_all().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_at_once_even_while_it_is_still_sent() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let twenty_megabytes = vec![b'x'; 20_000_000];
    let announced = Reply::of(server.post("/posts", JSON, twenty_megabytes.clone())).await;
    let pieces: Vec<_> =
        twenty_megabytes.chunks(100_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let in_pieces = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let unannounced = Reply::of(server.post("/posts", JSON, in_pieces)).await;
    for reply in [announced, unannounced] {
        assert_eq!((reply.status, reply.problem().as_str()), (413, "too-large"));
        in_time("a refusal", reply.took, Duration::from_secs(2));
    }
    assert_eq!(server.submit("after it").await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_id_and_an_id_in_the_body_is_stronger() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let send = async |body: &str, key: &str| {
        Reply::of(server.post("/posts", JSON, body.to_owned()).header("Idempotency-Key", key)).await.id()
    };
    let (plain, id) = (r#"{"title":"t","content":"c"}"#, PostId::new().to_string());
    let named = format!(r#"{{"title":"t","content":"c","id":"{id}"}}"#);
    let first = send(plain, "order-1").await;
    assert_eq!(send(plain, "order-1").await, first);
    assert_ne!(send(plain, "order-2").await, first);
    assert_eq!(send(&named, "order-1").await, id);
    assert_eq!(ground.take_all().await.len(), 4, "the primary key absorbs the copies, not the queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_queue_is_full_exactly_the_accepted_posts_are_in_it() {
    let ground = Ground::with_max_length(Some(10));
    let server = ground.serve().await;
    let (mut accepted, mut refused) = (Vec::new(), HashSet::new());
    for number in 0..60 {
        let reply = server.submit(&format!("post {number}")).await;
        match reply.status {
            202 => accepted.push(reply.id()),
            _ => {
                assert_eq!((reply.status, reply.problem().as_str()), (503, "queue-full"));
                assert_eq!(reply.retry_after.as_deref(), Some("1"));
                refused.insert(reply.id());
            }
        }
    }
    assert!(accepted.len() >= 10 && !refused.is_empty(), "{} accepted", accepted.len());
    until("readyz says that the queue is full", async || {
        let reply = server.get("/readyz").await;
        reply.status == 503 && reply.json()["detail"] == "the queue is full"
    })
    .await;
    let found = ids(&ground.take_all().await);
    accepted.sort();
    assert_eq!(found, accepted);
    until("there is room again", async || server.submit("again").await.status == 202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signs_of_life_count_what_happened() {
    let ground = Ground::new();
    let server = ground.serve().await;
    for _ in 0..3 {
        assert_eq!(server.submit("t").await.status, 202);
    }
    assert_eq!(Reply::of(server.post("/posts", JSON, "{")).await.status, 400);
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
    let metrics = server.get("/metrics").await;
    assert!(metrics.content_type.starts_with("text/plain"), "{}", metrics.content_type);
    for line in [
        "sluice_posts_accepted_total 3",
        r#"sluice_posts_refused_total{reason="not-json"} 1"#,
        "sluice_accept_seconds_count 3",
        r#"sluice_build_info{program="sluice-producer",version=""#,
    ] {
        assert!(metrics.text.contains(line), "{line} is not in {}", metrics.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_before_the_end() {
    let ground = Ground::new();
    let server = ground.serve().await;
    let (lines, body) = body_in_pieces();
    lines.send("{\"title\":\"1\",\"content\":\"c\"}\n").expect("the request is open");
    let request = server.post("/posts/batch", "application/x-ndjson", body).send();
    let mut response = request.await.expect("it answers while the rest is still to come");
    let first = response.chunk().await.expect("it streams").expect("a result");
    assert!(first.starts_with(br#"{"line":1,"#), "{first:?}");
    server.program.signal(Signal::SIGTERM);
    until("it takes no new connections", async || {
        reqwest::Client::new().get(format!("{}/healthz", server.url)).send().await.is_err()
    })
    .await;
    lines.send(r#"{"title":"2","content":"c"}"#).expect("the request is still open");
    drop(lines);
    let second = response.chunk().await.expect("it streams").expect("a result");
    assert!(second.starts_with(br#"{"line":2,"#) && second.ends_with(b"\"queued\"}\n"), "{second:?}");
    assert_eq!(ended(server.program).await.code, Some(0));
    assert_eq!(ground.take_all().await.len(), 2);
}
