//! What a collector can do to posts: nothing.

use std::time::{Duration, Instant};

use sluice_lab::testing::{eventually, in_time};

use crate::collector::{Collector, Mood};
use crate::{Site, TRACE, traceparent};

/// Posts that are stored as ever, with a short queue of spans.
async fn unharmed(variables: Vec<(&'static str, String)>) -> Site {
    let site = Site::new(&[&variables[..], &[("OTEL_BSP_MAX_QUEUE_SIZE", "4".to_owned())]].concat()).await;
    let begun = Instant::now();
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(site.accepted(&number.to_string(), None).await);
    }
    in_time("thirty posts", begun.elapsed(), Duration::from_secs(10));
    for id in ids {
        site.stored(id).await;
    }
    eventually("lost spans to be counted", async || {
        let dropped = site.metric("sluice_spans_dropped_total").await;
        if dropped > 0.0 { Ok(()) } else { Err(dropped) }
    })
    .await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_costs_spans_and_no_posts() {
    let collector = Collector::start(Mood::Silent).await;
    let mut site = unharmed(collector.variables()).await;
    let begun = Instant::now();
    assert!(site.worker.stop().await.success(), "{}", site.worker.said());
    in_time("the worker's end", begun.elapsed(), Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_costs_spans_and_no_posts_and_is_logged_once() {
    let nobody = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
    ];
    let site = unharmed(nobody.to_vec()).await;
    site.worker.says("the collector takes no spans", 1).await;
    site.accepted("one more", None).await;
    assert_eq!(site.worker.said().matches("the collector takes no spans").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_costs_spans_and_no_posts() {
    let collector = Collector::start(Mood::Refusing).await;
    let site = unharmed(collector.variables()).await;
    site.worker.says("status 503", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_nothing_is_sent_and_a_trace_is_passed_on_as_it_is() {
    let site = Site::new(&[]).await;
    site.ground.sql("ALTER TABLE posts MODIFY title VARCHAR(20) NOT NULL").await;
    let named = site.accepted("a title of more than twenty characters", Some(&traceparent("01"))).await;
    let unnamed = site.accepted("another title of more than twenty characters", None).await;
    site.dead(named).await;
    site.dead(unnamed).await;
    let exported = site.ground.sluice(&["dlq", "export"]).await.ok().lines();
    let of = |id: sluice_core::post::PostId| {
        exported.iter().map(ToString::to_string).find(|line| line.contains(&id.to_string())).expect("it is exported")
    };
    assert!(of(named).contains(&traceparent("01")), "{}", of(named));
    assert!(!of(unnamed).contains("traceparent"), "{}", of(unnamed));
    assert!(!of(unnamed).contains(TRACE));
    assert!(!site.worker.said().contains("spans are exported"), "{}", site.worker.said());
}
