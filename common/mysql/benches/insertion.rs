//! How long it takes to make the statement that stores a group of posts, and its values. What the driver makes of them
//! afterwards, and the server, is not in it: that is measured with servers.
//!
//! ```sh
//! cargo bench -p sluice-mysql --bench insertion
//! ```

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sluice_core::post::{Post, PostId};
use sluice_core::verdict::{Review, Verdict};
use sluice_mysql::{Insertion, Row};
use time::OffsetDateTime;
use time::macros::datetime;

const AT: OffsetDateTime = datetime!(2026-11-22 17:50:07.271828 UTC);

/// An ordinary post, which nothing speaks against.
fn row(number: usize) -> Row {
    Row {
        post: Post {
            id: PostId::from_key(&number.to_string()),
            title: "How do I keep a queue from growing".to_owned(),
            content: "We have a promotion next week.\nWhat do you do?".to_owned(),
            author: Some("ann".to_owned()),
            submitted_at: AT,
        },
        review: Review {
            verdict: Verdict::Approved,
            reasons: Vec::new(),
            scores: Vec::new(),
            shadow: Vec::new(),
            ruleset: "builtin@0123456789ab".to_owned(),
        },
        reviewed_at: AT,
        attempts: 1,
        sender: None,
    }
}

fn insertion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("insertion");
    for count in [1, 8, 64, 256] {
        let rows: Vec<Row> = (0..count).map(row).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("rows", count), |bencher| {
            bencher.iter(|| Insertion::new(black_box(&rows), "worker-1", AT));
        });
    }
}

criterion_group!(benches, insertion);
criterion_main!(benches);
