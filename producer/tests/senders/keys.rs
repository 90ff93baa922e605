//! Idempotency keys are each sender's own.

use sluice_core::post::PostId;

use crate::register::{Register, entry};
use crate::support::{Ground, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_of_two_senders_is_two_posts_and_of_one_sender_one() {
    let ground = Ground::new();
    let register = Register::new(&(entry("a", "") + &entry("b", "")));
    let (server, open) = (register.serve(&ground, &[]).await, ground.serve().await);
    let body = r#"{"title":"t","content":"c"}"#;
    let keyed = async |token: Option<&str>, path: &str, content_type: &str| {
        let server = if token.is_some() { &server } else { &open };
        let request = server.post(path, content_type, body).header("idempotency-key", "order-1");
        let reply = Reply::of(if let Some(token) = token { request.bearer_auth(token) } else { request }).await;
        reply.id()
    };
    let json = ("/posts", "application/json");
    let (a, b) = (keyed(Some("a"), json.0, json.1).await, keyed(Some("b"), json.0, json.1).await);
    assert_ne!(a, b);
    assert_eq!(a, keyed(Some("a"), json.0, json.1).await);
    let nobody = keyed(None, json.0, json.1).await;
    assert_eq!(nobody, PostId::from_key("order-1").to_string(), "without senders nothing has changed");
    let lines = ("/posts/batch", "application/x-ndjson");
    let (of_a, of_b) = (keyed(Some("a"), lines.0, lines.1).await, keyed(Some("b"), lines.0, lines.1).await);
    assert!(of_a != of_b && of_a == keyed(Some("a"), lines.0, lines.1).await);
    assert_eq!(keyed(None, lines.0, lines.1).await, PostId::from_key("order-1\n1").to_string());
}
