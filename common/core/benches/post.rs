//! How long a post takes from the form in which it travels to the one in which it is worked on, and back.
//!
//! ```sh
//! cargo bench -p sluice-core --bench post
//! ```

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_core::post::{Post, PostId};
use time::OffsetDateTime;
use time::macros::datetime;

/// With the microseconds that every real time of submission has.
const AT: OffsetDateTime = datetime!(2026-11-22 17:50:07.271828 UTC);

fn posts() -> [(&'static str, Post); 2] {
    let post = |content: String| Post {
        id: PostId::from_key("post"),
        title: "How do I keep a queue from growing".to_owned(),
        content,
        author: Some("ann".to_owned()),
        submitted_at: AT,
    };
    let short = "We have a promotion next week.\nWhat do you do?".to_owned();
    // As in real texts there is something to escape, and not all of it is ASCII.
    let long =
        "早上好。 \"We have a promotion next week\", and I expect ten times the posts of a usual day.\n".repeat(40);
    [("short", post(short)), ("4k", post(long))]
}

fn post(criterion: &mut Criterion) {
    for (name, post) in posts() {
        let body = post.to_body();
        let mut group = criterion.benchmark_group(format!("post/{name}"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("to_body", |bencher| bencher.iter(|| black_box(&post).to_body()));
        group.bench_function("from_message", |bencher| {
            let id = post.id.to_string();
            bencher.iter(|| Post::from_message(black_box(&body), Some(&id), AT).expect("it is a post"));
        });
    }
}

criterion_group!(benches, post);
criterion_main!(benches);
