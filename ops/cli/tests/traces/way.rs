//! The way of a post, as its spans tell it.

use crate::collector::{Collector, Mood, Seen};
use crate::{CALLER, Site, TRACE, traceparent};

fn named<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let mut of_that_name = spans.iter().filter(|seen| seen.name == name);
    let one = of_that_name.next().unwrap_or_else(|| panic!("no {name} in {spans:?}"));
    assert!(of_that_name.next().is_none(), "one {name} in {spans:?}");
    one
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_followed_from_its_request_to_its_row() {
    let collector = Collector::start(Mood::Willing).await;
    let site = Site::new(&collector.variables()).await;
    let id = site.accepted("a secret title", Some(&traceparent("01"))).await;
    site.stored(id).await;
    let spans = collector.spans(TRACE, 5).await;
    let step = |name| named(&spans, name);
    let parents = [("accept", CALLER), ("publish", step("accept").id()), ("receive", step("publish").id())];
    let within = ["review", "store"].map(|name| (name, step("receive").id()));
    for (name, parent) in parents.into_iter().chain(within) {
        assert_eq!(step(name).parent(), parent, "{name}");
    }
    assert_eq!((step("accept").service.as_str(), step("store").service.as_str()), ("sluice-producer", "sluice-worker"));
    assert_eq!(step("accept").attribute("http.response.status_code"), "202");
    assert_eq!(step("receive").attribute("messaging.message.id"), id.to_string());
    assert_eq!(
        (step("review").attribute("sluice.verdict"), step("store").attribute("sluice.outcome")),
        ("approved", "inserted")
    );
    for text in ["secret title", "nobody else", "\"ann\""] {
        assert!(!collector.text().contains(text), "{text}");
    }
    // Without a traceparent, or with one that cannot be read, a trace is begun.
    for wrong in [None, Some("00-0-0-01")] {
        let id = site.accepted("another", wrong).await;
        site.stored(id).await;
        let begun = sluice_lab::testing::eventually("the spans", async || {
            let seen = collector.seen();
            seen.into_iter().find(|seen| seen.attribute("messaging.message.id") == id.to_string()).ok_or("none yet")
        })
        .await;
        let trace = begun.span["traceId"].as_str().expect("an id").to_owned();
        let spans = collector.spans(&trace, 5).await;
        assert_eq!(named(&spans, "accept").parent(), "");
    }
    // And one that is not recorded is not.
    let id = site.accepted("another", Some(&traceparent("00").replace(TRACE, &"5".repeat(32)))).await;
    site.stored(id).await;
    let id = site.accepted("the last", Some(&traceparent("01").replace(TRACE, &"6".repeat(32)))).await;
    site.stored(id).await;
    collector.spans(&"6".repeat(32), 5).await;
    assert!(!collector.seen().iter().any(|seen| seen.is_in(&"5".repeat(32))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_followed_to_its_dead_letter_and_through_its_replay() {
    let collector = Collector::start(Mood::Willing).await;
    let site = Site::new(&collector.variables()).await;
    site.ground.sql("ALTER TABLE posts MODIFY title VARCHAR(20) NOT NULL").await;
    let id = site.accepted("a title of more than twenty characters", Some(&traceparent("01"))).await;
    site.dead(id).await;
    let spans = collector.spans(TRACE, 6).await;
    let (receive, dead) = (named(&spans, "receive"), named(&spans, "dead-letter"));
    assert_eq!((dead.parent(), receive.attribute("sluice.settlement")), (receive.id(), "dead_letter"));
    for failed in [receive, dead, named(&spans, "store")] {
        assert_eq!(
            (&failed.span["status"]["code"], &failed.span["status"]["message"]),
            (&2.into(), &"mysql_1406".into())
        );
    }
    let why = site.ground.sluice(&["why", &id.to_string()]).await.ok().stdout;
    assert!(why.contains(TRACE), "{why}");
    site.ground.sql("ALTER TABLE posts MODIFY title VARCHAR(255) NOT NULL").await;
    site.ground.sluice(&["dlq", "replay", &id.to_string(), "--yes"]).await.ok();
    site.stored(id).await;
    let spans = collector.spans(TRACE, 9).await;
    let receives: Vec<&Seen> = spans.iter().filter(|seen| seen.name == "receive").collect();
    assert_eq!(receives.len(), 2, "{spans:?}");
    assert_eq!((receives[1].attribute("sluice.replays"), receives[1].parent()), ("1", receives[0].parent()));
    assert_eq!(receives[1].attribute("sluice.settlement"), "ack");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_post_of_a_batch_has_its_own_way_within_the_trace_of_the_request() {
    let collector = Collector::start(Mood::Willing).await;
    let site = Site::new(&collector.variables()).await;
    let lines = "{\"title\":\"one\",\"content\":\"c\"}\n{\"title\":\"\"}\n{\"title\":\"two\",\"content\":\"c\"}\n";
    let batch = site.http.post(format!("{}/posts/batch", site.url)).header("content-type", "application/x-ndjson");
    let answer = batch.header("traceparent", traceparent("01")).body(lines).send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("a text").lines().count(), 3);
    let spans = collector.spans(TRACE, 9).await;
    let accept = named(&spans, "accept");
    let published: Vec<&Seen> = spans.iter().filter(|seen| seen.name == "publish").collect();
    assert!(published.len() == 2 && published.iter().all(|seen| seen.parent() == accept.id()), "{spans:?}");
    assert_eq!(accept.attribute("http.route"), "/posts/batch");
}
