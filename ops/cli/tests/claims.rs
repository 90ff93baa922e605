//! What whoever may publish to RabbitMQ can write is a claim: it is told as one, and decides nothing.

mod support;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use sluice_core::dead_letter::{DeadLetterRecord, FAILURE_HEADER, REPLAY_HEADER, USER_HEADER};
use sluice_core::post::PostId;
use support::{Dead, Ground, post, text};

fn headers(entries: &[(&str, &str)]) -> FieldTable {
    let mut headers = FieldTable::default();
    for (name, value) in entries {
        headers.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    headers
}

/// A dead letter of a neighbour's.
async fn forge(ground: &Ground, id: &str, body: &[u8], entries: &[(&str, &str)]) {
    let before = ground.dead_letters().await;
    let properties = BasicProperties::default().with_message_id(id.into()).with_headers(headers(entries));
    ground.publish(&ground.topology.dead_letter_exchange(), body, properties).await;
    ground.until_dead(before + 1).await;
}

async fn verify(ground: &Ground, id: PostId, code: i32) -> (Value, String) {
    let file = tempfile::NamedTempFile::new().expect("a place for files");
    std::fs::write(file.path(), format!("{id}\n")).expect("it can be written");
    let path = file.path().to_str().expect("a plain path");
    let args = ["verify", "--settle", "0s", "--receipts", path];
    let object = ground.sluice(&[&args[..], &["--json"]].concat()).await.exits(code).object();
    (object, ground.sluice(&args).await.exits(code).stdout)
}

fn record(ground: &Ground) -> DeadLetterRecord {
    Dead::new("").record(&ground.topology)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_post_is_recorded_whatever_a_dead_letter_says_of_its_replay() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let id = dead[0].id.to_string();
    let worker = ground.worker(&[]);
    let ran = ground.sluice(&["dlq", "replay", &id, "--yes", "--wait"]).await.ok();
    assert!(ran.stdout.contains("1 recorded"), "{ran:?}");
    drop(worker);
    let replay = text(&ground.sluice(&["replays", "--json"]).await.ok().lines()[0], "id");
    let failure = record(&ground).to_header();
    forge(&ground, &id, &dead[0].post().to_body(), &[(REPLAY_HEADER, &replay), (FAILURE_HEADER, &failure)]).await;
    let outcome = async |of: &str| -> String {
        let told = ground.sluice(&["replays", "show", of, "--json"]).await.ok().lines();
        text(&told[0], "outcome")
    };
    assert_eq!(outcome(&replay).await, "recorded");
    let story = ground.sluice(&["why", &id, "--json"]).await.ok().object();
    assert_eq!((&story["place"], story["dead_letters"].as_array().map(Vec::len)), (&json!("recorded"), Some(1)));
    // Nor once it is replayed, which notes what the header says.
    ground.sluice(&["dlq", "replay", &id, "--yes"]).await.ok();
    assert_eq!(outcome(&replay).await, "recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_dead_letter_accounts_for_nothing() {
    let ground = Ground::new().await;
    let failure = record(&ground).to_header();
    let other = post("another").to_body();
    let cases = [
        ("no header gives the reason", None, None),
        ("the body is no post", Some(b"{}".to_vec()), Some(&failure)),
        ("the message has another id", Some(other), Some(&failure)),
    ];
    for (case, body, failure) in cases {
        let never_sent = post(case);
        let body = body.unwrap_or_else(|| never_sent.to_body());
        let entries: Vec<(&str, &str)> =
            failure.map(|failure| (FAILURE_HEADER, failure.as_str())).into_iter().collect();
        let id = never_sent.id.to_string();
        forge(&ground, &id, &body, &entries).await;
        let (object, told) = verify(&ground, never_sent.id, 1).await;
        assert_eq!((&object["dead"], &object["missing"], &object["claimed_ids"]), (&json!(0), &json!(1), &json!([id])));
        assert!(
            told.contains("1 post is claimed by dead letters") && !told.contains("accounted for"),
            "{case}: {told}"
        );
        ground.sluice(&["dlq", "drop", &id, "--yes"]).await.ok();
        let (object, _) = verify(&ground, never_sent.id, 1).await;
        assert_eq!(object["dropped"], 0, "{case}: dropping a claim makes it no post");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_dead_letter_accounts_for_is_said_to_be_so() {
    let ground = Ground::new().await;
    let dead = Dead::some(1);
    ground.dead(&dead).await;
    let (object, told) = verify(&ground, dead[0].id, 0).await;
    assert_eq!((&object["dead"], &object["claimed"]), (&json!(1), &json!(0)));
    assert!(told.contains("(1 post is dead according to dead letters"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_told_as_vouched_for_only_where_rabbitmq_does() {
    let ground = Ground::new().await;
    forge(&ground, "forged", b"{}", &[(USER_HEADER, "admin")]).await;
    let user = sluice_core::config::SecretUrl::from(ground.amqp_url.as_str());
    let url = user.parsed("AMQP_URL", &["amqp"], "amqp://host").expect("a good address");
    let properties = BasicProperties::default().with_message_id("signed".into()).with_user_id(url.username().into());
    ground.publish(&ground.topology.dead_letter_exchange(), b"{}", properties).await;
    ground.until_dead(2).await;
    let forged = ground.sluice(&["dlq", "show", "forged"]).await.ok().stdout;
    assert!(forged.contains("sluice-user-id: admin (not verified") && !forged.contains("published by"), "{forged}");
    let signed = ground.sluice(&["dlq", "show", "signed"]).await.ok().stdout;
    assert!(signed.contains(&format!("published by  {} (verified by RabbitMQ)", url.username())), "{signed}");
    assert_eq!(ground.sluice(&["dlq", "show", "signed", "--json"]).await.ok().object()["user"], url.username());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_cannot_be_is_no_time() {
    let ground = Ground::new().await;
    let year_0 = record(&ground).to_header().replacen("\"first_failed_at\":\"20", "\"first_failed_at\":\"00", 1);
    let year_0 = year_0.replacen("\"last_failed_at\":\"20", "\"last_failed_at\":\"00", 1);
    assert!(year_0.contains("\"00"), "{year_0}");
    forge(&ground, "old", b"{}", &[(FAILURE_HEADER, &year_0)]).await;
    let year_99 = record(&ground).to_header().replacen("\"last_failed_at\":\"20", "\"last_failed_at\":\"99", 1);
    forge(&ground, "new", b"{}", &[(FAILURE_HEADER, &year_99)]).await;
    let dead_letters = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!((&dead_letters[0]["first_failed_at"], &dead_letters[0]["last_failed_at"]), (&json!(null), &json!(null)));
    let status = ground.sluice(&["status"]).await.ok().stdout;
    assert!(!status.contains("d ago"), "{status}");
    let shown = ground.sluice(&["dlq", "show", "new"]).await.ok().stdout;
    assert!(shown.contains("(in the future)"), "{shown}");
    assert!(ground.sluice(&["dlq", "show", "old"]).await.ok().stdout.contains("last failed   unknown"));
}
