//! Posts, and dead letters as workers make them.

use sluice_core::VERSION;
use sluice_core::dead_letter::{DeadLetterRecord, Origin, SCHEMA, fingerprint};
use sluice_core::disposition::Class;
use sluice_core::failure::{Failure, Kind};
use sluice_core::post::{Post, PostId};
use sluice_rabbit::topology::{ROUTING_KEY, Topology};
use time::OffsetDateTime;

/// A dead letter to be.
#[derive(Debug, Clone)]
pub struct Dead {
    pub id: PostId,
    pub title: String,
    pub class: Class,
    pub code: &'static str,
    pub message: String,
    pub age: time::Duration,
}

impl Dead {
    /// One that failed by its own fault just now.
    pub fn new(title: &str) -> Self {
        Self {
            id: PostId::new(),
            title: title.to_owned(),
            class: Class::Permanent,
            code: "mysql_1406",
            message: "Data too long for column 'title' at row 1".to_owned(),
            age: time::Duration::ZERO,
        }
    }

    /// So many, titled by their numbers.
    pub fn some(count: usize) -> Vec<Self> {
        (0..count).map(|number| Self::new(&number.to_string())).collect()
    }

    /// The post that died.
    pub fn post(&self) -> Post {
        Post { id: self.id, ..post(&self.title) }
    }

    pub fn record(&self, topology: &Topology) -> DeadLetterRecord {
        let at = OffsetDateTime::now_utc() - self.age;
        DeadLetterRecord {
            schema: SCHEMA,
            class: self.class,
            code: self.code.to_owned(),
            message: self.message.clone(),
            fingerprint: fingerprint(self.class, &Failure::new(Kind::Permanent, self.code, self.message.as_str())),
            attempts: 3,
            first_failed_at: at,
            last_failed_at: at,
            worker: "w1@test".to_owned(),
            version: VERSION.to_owned(),
            origin: Origin {
                exchange: topology.exchange(),
                routing_key: ROUTING_KEY.to_owned(),
                queue: topology.queue(),
            },
            replays: 0,
        }
    }
}

/// A post with a title.
pub fn post(title: &str) -> Post {
    let content = format!("what {title} says");
    Post { id: PostId::new(), title: title.to_owned(), content, author: None, submitted_at: OffsetDateTime::UNIX_EPOCH }
}

/// The ids of dead letters, as text.
pub fn ids(dead_letters: &[Dead]) -> Vec<String> {
    dead_letters.iter().map(|dead_letter| dead_letter.id.to_string()).collect()
}
