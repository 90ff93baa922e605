//! A queue that strangers write to as well: whatever they put between the posts, the posts are stored.

#[path = "../../common/rabbit/tests/hostile/spliced.rs"]
mod spliced;
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, DecimalValue, FieldArray, FieldTable};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sluice_core::disposition::Class;
use sluice_core::post::Post;
use sluice_lab::testing::Ground;
use sluice_rabbit::dead_letters::DeadLetterBrowser;
use sluice_rabbit::topology::ROUTING_KEY;
use spliced::{spliced, texts};
use support::{dead, is_stored, stored, waiting, worker};

/// How many messages of strangers, and one post before each.
const STRANGERS: usize = 60;

const BODIES: [&str; 5] = [
    "{\"title\":\"t\",\"content\":\"c\"}",
    "{\"id\":\"0193a5b2-7c55-7000-8000-00000000e1b4\",\"title\":\"早\",\"content\":\"\\u0000\"}",
    "{\"title\":\"t\",\"content\":\"c\",\"submitted_at\":\"0000-01-01T00:00:00Z\"}",
    "{\"title\":\"t\",\"content\":\"c\",\"submitted_at\":\"9999-12-31T23:59:59.999999999Z\"}",
    "\"a text\"",
];

/// A message of a stranger.
#[derive(Debug, Clone)]
struct Stranger {
    body: Vec<u8>,
    id: Option<String>,
    timestamp: Option<u64>,
    headers: FieldTable,
}

impl Stranger {
    /// The post that it is, if it is one.
    fn post(&self) -> Option<Post> {
        Post::from_message(&self.body, self.id.as_deref(), time::OffsetDateTime::now_utc()).ok()
    }
}

/// A value of each type that RabbitMQ takes in a header.
fn values() -> impl Strategy<Value = AMQPValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AMQPValue::Boolean),
        any::<i8>().prop_map(AMQPValue::ShortShortInt),
        any::<u8>().prop_map(AMQPValue::ShortShortUInt),
        any::<i16>().prop_map(AMQPValue::ShortInt),
        any::<u16>().prop_map(AMQPValue::ShortUInt),
        any::<i32>().prop_map(AMQPValue::LongInt),
        any::<u32>().prop_map(AMQPValue::LongUInt),
        any::<i64>().prop_map(AMQPValue::LongLongInt),
        any::<f32>().prop_map(AMQPValue::Float),
        any::<f64>().prop_map(AMQPValue::Double),
        (0u8..20, any::<u32>()).prop_map(|(scale, value)| AMQPValue::DecimalValue(DecimalValue { scale, value })),
        vec(any::<u8>(), 0..200).prop_map(|bytes| AMQPValue::LongString(bytes.into())),
        vec(any::<u8>(), 0..200).prop_map(|bytes| AMQPValue::ByteArray(bytes.into())),
        any::<u64>().prop_map(AMQPValue::Timestamp),
        Just(AMQPValue::Void),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| AMQPValue::FieldArray(FieldArray::from(values))),
            btree_map("[a-z]{0,6}", inner, 0..4).prop_map(|entries| AMQPValue::FieldTable(table(entries))),
        ]
    })
}

fn table(entries: BTreeMap<String, AMQPValue>) -> FieldTable {
    entries.into_iter().map(|(name, value)| (name.into(), value)).collect::<BTreeMap<_, _>>().into()
}

fn strangers() -> impl Strategy<Value = Stranger> {
    let ours = proptest::sample::select(vec!["sluice-failure", "sluice-replays", "x-delivery-count"]);
    let names = prop_oneof![3 => "\\PC{0,12}", 1 => ours.prop_map(str::to_owned)];
    let few = btree_map(names, values(), 0..5);
    // Up to what a frame of 128 KiB takes.
    let huge = (50_000usize..120_000)
        .prop_map(|size| BTreeMap::from([("huge".to_owned(), AMQPValue::LongString(vec![b'x'; size].into()))]));
    let ids = prop_oneof![
        2 => Just(None),
        2 => Just(()).prop_map(|()| Some(sluice_core::post::PostId::new().to_string())),
        1 => texts().prop_map(|text| Some(text.chars().take(60).collect())),
    ];
    let headers = prop_oneof![9 => few, 1 => huge];
    (spliced(&BODIES), ids, proptest::option::of(any::<u64>()), headers)
        .prop_map(|(body, id, timestamp, headers)| Stranger { body, id, timestamp, headers: table(headers) })
}

/// Publishes a post before each of them; gives the posts.
async fn publish(ground: &Ground, strangers: &[Stranger]) -> Vec<Post> {
    let connection = ground.connect().await;
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let mut neighbours = Vec::new();
    for stranger in strangers {
        neighbours.push(ground.post("a neighbour of strangers"));
        ground.publish(&neighbours[neighbours.len() - 1..]).await;
        let mut properties = BasicProperties::default().with_headers(stranger.headers.clone());
        if let Some(id) = &stranger.id {
            properties = properties.with_message_id(id.as_str().into());
        }
        if let Some(timestamp) = stranger.timestamp {
            properties = properties.with_timestamp(timestamp);
        }
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = ground.topology().exchange();
        let publish = channel.basic_publish(exchange.into(), ROUTING_KEY.into(), options, &stranger.body, properties);
        let confirm = publish.await.expect("the publish is sent").await.expect("the publish is confirmed");
        assert!(confirm.is_ack(), "{stranger:?} was not taken");
    }
    sluice_rabbit::broker::close(&connection).await;
    neighbours
}

/// The bodies of the dead letters, and why each is there.
async fn dead_letters(ground: &Ground) -> Vec<(Vec<u8>, Class, String)> {
    let dead_letters =
        DeadLetterBrowser::open(&ground.broker(), &ground.topology(), Duration::from_secs(10), || ()).await;
    let mut dead_letters = dead_letters.expect("the dead letters can be seen");
    let mut seen = Vec::new();
    while let Some(dead_letter) = dead_letters.next().await.expect("a dead letter") {
        seen.push((dead_letter.body().to_vec(), dead_letter.summary.class, dead_letter.summary.message.clone()));
    }
    dead_letters.put_back().await.expect("the dead letters are put back");
    seen
}

#[tokio::test]
async fn whatever_strangers_put_between_the_posts_each_post_is_stored_and_each_stranger_answered() {
    let ground = Ground::new().await;
    let mut worker = worker(&ground, &["--retry-base", "20ms", "--concurrency", "4"]).await;
    let (mut chance, drawn) = (TestRunner::default(), strangers());
    let strangers: Vec<Stranger> =
        (0..STRANGERS).map(|_| drawn.new_tree(&mut chance).expect("a message").current()).collect();
    let neighbours = publish(&ground, &strangers).await;
    for neighbour in &neighbours {
        stored(&ground, neighbour.id).await;
    }
    waiting(&ground, 0).await;
    let last = ground.post("after all strangers");
    ground.publish(std::slice::from_ref(&last)).await;
    stored(&ground, last.id).await;
    assert!(worker.stop().await.success(), "{}", worker.said());
    assert!(!worker.said().contains("panicked at"), "{}", worker.said());
    waiting(&ground, 0).await;

    let dead_of = dead_letters(&ground).await;
    let mut open: Vec<&(Vec<u8>, Class, String)> = dead_of.iter().collect();
    for stranger in &strangers {
        // Two of them may have the same body, and only one of them an id.
        if let Some(post) = stranger.post()
            && is_stored(&ground, post.id).await
        {
            continue;
        }
        let at = open.iter().position(|(body, ..)| *body == stranger.body);
        let dead_letter = at.map(|at| open.swap_remove(at));
        let (_, class, why) = dead_letter.unwrap_or_else(|| panic!("neither stored nor dead: {stranger:?}"));
        let known = matches!(class, Class::Permanent | Class::CrashLoop | Class::Rejected);
        assert!(known && !why.is_empty(), "dead for {class}, {why:?}: {stranger:?}");
    }
    // A second message with the id of a stored post may have died, but nobody else.
    assert!(
        open.iter().all(|(body, ..)| strangers.iter().any(|one| one.body == *body)),
        "dead letters of nobody: {open:?}"
    );
    dead(&ground, u32::try_from(dead_of.len()).expect("a few dead letters")).await;
}
