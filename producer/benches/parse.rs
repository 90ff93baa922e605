//! How long the front door takes from a body to what is published, the broker and HTTP aside.
//!
//! ```sh
//! cargo bench -p sluice-producer --bench parse
//! ```

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_core::config::BrokerArgs;
use sluice_producer::submit;
use sluice_rabbit::publisher::Envelope;
use sluice_rabbit::topology::Topology;
use time::OffsetDateTime;
use time::macros::datetime;

const BODY: &str = r#"{"title":"How do I keep a queue from growing","author":"ann","content":"We have a promotion next week and expect ten times the posts.\nWhat do you do?"}"#;
const AT: OffsetDateTime = datetime!(2026-11-22 17:50:07.271828 UTC);

fn topology() -> Topology {
    let prefix = "post".parse().expect("a prefix");
    Topology::new(&BrokerArgs { amqp_url: "amqp://localhost".into(), prefix, max_length: None })
}

fn parse(criterion: &mut Criterion) {
    let topology = topology();
    let read = || submit::read(black_box(BODY.as_bytes()), Ok(None), AT).expect("it is a post");
    let post = read();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(1));
    group.bench_function("read", |bencher| bencher.iter(read));
    group.bench_function("envelope", |bencher| bencher.iter(|| Envelope::post(&topology, black_box(&post))));
    group.bench_function("read and envelope", |bencher| bencher.iter(|| Envelope::post(&topology, &read())));
    group.bench_function("the time", |bencher| bencher.iter(submit::now));
}

criterion_group!(benches, parse);
criterion_main!(benches);
