//! Dead letters that the AMQP library could not read by itself are dead letters like any other.

mod support;

use sluice_lab::testing::{Strange, Stranger};
use sluice_rabbit::topology::ROUTING_KEY;
use support::{Ground, post, text, until};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_the_library_cannot_read_are_seen_exported_imported_and_replayed() {
    let ground = Ground::new().await;
    let mut stranger = Stranger::connect(&ground.amqp_url).await;
    let strange = [
        Strange::named(b"\xff\xfe", b"an id"),
        Strange::with_header(b"\xc3\x28", b"a header's name"),
        Strange::nested(2000, b"tables in tables"),
        Strange::nested(2000, &post("wrapped").to_body()),
    ];
    for message in &strange {
        stranger.publish(&ground.topology.dead_letter_exchange(), ROUTING_KEY.as_bytes(), message).await;
    }
    stranger.close().await;
    ground.until_dead(strange.len()).await;

    let listed = ground.sluice(&["dlq", "list", "--json"]).await.ok().lines();
    assert_eq!(listed.len(), strange.len());
    assert_eq!((text(&listed[0], "id").as_str(), text(&listed[3], "title").as_str()), ("??", "wrapped"));
    let story = ground.sluice(&["dlq", "show", "??"]).await.ok().stdout;
    assert!(story.contains("an id"), "{story}");
    let exported = ground.sluice(&["dlq", "export"]).await.ok();
    assert_eq!(exported.lines().len(), strange.len());
    assert!(exported.stdout.contains(r#""?(""#), "{exported:?}");

    let file = tempfile::Builder::new().prefix(&ground.prefix).tempfile().expect("a file");
    std::fs::write(file.path(), &exported.stdout).expect("it can be written");
    ground.sluice(&["dlq", "drop", "--all", "--yes"]).await.ok();
    ground.sluice(&["dlq", "import", file.path().to_str().expect("a plain path")]).await.ok();
    ground.until_dead(strange.len()).await;
    ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok();
    until("all are back at work", async || ground.queued().await == strange.len()).await;
    assert_eq!(ground.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_the_library_cannot_read_is_replayed_from_where_it_lies() {
    let ground = Ground::new().await;
    let mut stranger = Stranger::connect(&ground.amqp_url).await;
    for message in [Strange::named(b"\xff", b"{}"), Strange::nested(2000, b"{}")] {
        stranger.publish(&ground.topology.dead_letter_exchange(), ROUTING_KEY.as_bytes(), &message).await;
    }
    stranger.close().await;
    ground.until_dead(2).await;
    ground.sluice(&["dlq", "replay", "--all", "--yes"]).await.ok();
    until("both are back at work", async || ground.queued().await == 2).await;
    assert_eq!(ground.dead_letters().await, 0);
}
